"""Update rules for sparse training. Every file of this folder is imported: a new file is a new method.

Method files write `import torch` and nothing longer at their head, and name torch in annotations alone outside
functions, so that listing the methods need not wait for it.
"""

import importlib
import pkgutil
from typing import Any

from methods.registry import METHODS, MethodError, load_plugin, parse, register, register_alias

for _module in pkgutil.iter_modules(__path__):
    if _module.name != "optimizer":  # a class of torch's own kind, and no method
        importlib.import_module(f"{__name__}.{_module.name}")


def __getattr__(name: str) -> Any:
    if name == "SparseOptimizer":
        return importlib.import_module("methods.optimizer").SparseOptimizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["SparseOptimizer", "METHODS", "MethodError", "load_plugin", "parse", "register", "register_alias"]
