"""The figures, one file each. Every file of this folder is imported, so a new file is a new figure.

A file registers its function with `@figure` of plots/registry.py, which names the experiments that it is drawn for.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
