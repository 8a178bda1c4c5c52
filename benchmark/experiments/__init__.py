"""Experiments: named grids of runs.

experiment.py defines a grid, run.py one point of it and its key, registry.py finds an experiment by name. Every other
file holds experiments and is imported here, so a new experiment is one decorated function in a new file.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
