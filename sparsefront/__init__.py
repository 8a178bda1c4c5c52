"""The public names of the suite in one package: `from sparsefront import SparseOptimizer`.

They are those of the packages `methods`, `benchmark` and `plots`, which lie in the same folder as this one.
`python -m sparsefront`, which is __main__.py, is the command.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

_FOLDER = Path(__file__).parents[1].resolve()


def _place(spec: ModuleSpec | None) -> Path | None:
    """Return the folder of a package, or the file of a module; None if it is not found."""
    if spec and spec.origin:
        file = Path(spec.origin).resolve()
        return file.parent if file.name == "__init__.py" else file
    return next((Path(folder).resolve() for folder in (spec and spec.submodule_search_locations) or ()), None)


def _own(name: str) -> tuple[ModuleType, Path | None]:
    """Import a package of this suite, also where one of the user has its name and comes first on Python's path.

    Return the package, and the user's. Raises ImportError if the user's package is imported already.
    """
    found = None if name in sys.modules else _place(PathFinder.find_spec(name))
    theirs = found if found and found != _FOLDER / name else None
    if theirs and str(_FOLDER) != sys.path[0]:
        sys.path.insert(0, str(_FOLDER))  # for good: workers have the path of the process that starts them
    module = importlib.import_module(name)
    place = _place(module.__spec__)
    if place != _FOLDER / name:
        raise ImportError(f"sparsefront has a package named {name}, as your {place} has; rename yours")
    return module, theirs


_PACKAGES = []
for _name in ("methods", "benchmark", "plots"):
    _package, _theirs = _own(_name)
    _PACKAGES.append(_package)
    if _theirs:
        warnings.warn(f"`import {_name}` means a package of sparsefront from here on; rename {_theirs}", stacklevel=2)
__all__ = sorted({name for package in _PACKAGES for name in package.__all__})


def __getattr__(name: str) -> Any:
    for package in _PACKAGES:
        if name in package.__all__:
            return getattr(package, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
