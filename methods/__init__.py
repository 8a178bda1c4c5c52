"""Methods of sparse training: one file for each method, under the name of its registration.

Every file of this folder is imported, so a new file is a new method. Four files are no methods: `dynamic`,
`one_shot` and `proximal` are bases that several methods share, and `dwf_factors` initializes the factors of `dwf`.
`core` has the machinery of all methods.
"""

import importlib
import pkgutil
from typing import Any

from methods.core.base import Method
from methods.core.masked import Masked
from methods.core.network import Network
from methods.core.plugins import load_plugin
from methods.core.probe import Probe
from methods.core.registry import METHODS, MethodError, parse, register, register_alias

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def __getattr__(name: str) -> Any:
    if name == "SparseOptimizer":  # imports torch, which is slow and which lists of methods do not need
        from methods.core.sparse_optimizer import SparseOptimizer

        return SparseOptimizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "METHODS",
    "Masked",
    "Method",
    "MethodError",
    "Network",
    "Probe",
    "SparseOptimizer",
    "load_plugin",
    "parse",
    "register",
    "register_alias",
]
