"""The public names of the suite in one package: `from sparsefront import SparseOptimizer`.

They are those of the packages `methods`, `benchmark` and `plots`, which lie in the same folder as this one.
`python -m sparsefront`, which is __main__.py, is the command.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

_FOLDER = Path(__file__).parents[1]


def _own(name: str) -> ModuleType:
    """Import a package of this suite, also where a package of the user has its name and comes first on Python's path.

    Raises ImportError if the user's package is imported already.
    """
    found = PathFinder.find_spec(name)
    there = Path(found.origin).parents[1].resolve() if found and found.origin else _FOLDER.resolve()
    if name not in sys.modules:
        sys.path.insert(0, str(_FOLDER))
        try:
            importlib.import_module(name)
        finally:
            sys.path.remove(str(_FOLDER))
        if there != _FOLDER.resolve():
            message = f"`import {name}` means a package of sparsefront from here on; rename {there / name}"
            warnings.warn(message, stacklevel=3)
    module = sys.modules[name]
    if Path(module.__file__ or "").parents[1].resolve() != _FOLDER.resolve():
        raise ImportError(f"sparsefront has a package named {name}, as your {module.__file__} has; rename yours")
    return module


_PACKAGES = [_own(name) for name in ("methods", "benchmark", "plots")]
__all__ = sorted({name for package in _PACKAGES for name in package.__all__})


def __getattr__(name: str) -> Any:
    for package in _PACKAGES:
        if name in package.__all__:
            return getattr(package, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
