"""Update rules for sparse training. Every file of this folder is imported: a new file is a new method.

Method files write `import torch` and nothing longer at their head, and name torch in annotations alone outside
functions, so that listing the methods need not wait for it.
"""

import importlib
import pkgutil

from methods.registry import METHODS, MethodError, load_plugin, parse, register, register_alias

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["METHODS", "MethodError", "load_plugin", "parse", "register", "register_alias"]
