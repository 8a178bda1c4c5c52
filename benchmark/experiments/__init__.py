"""Experiments: named grids of runs.

experiment.py defines a grid, which grid_check.py checks, run.py one point of it and its key; registry.py finds an
experiment by name. fronts.py, families.py, factorization.py, networks.py, lenet5.py, learning_rates.py, search.py,
objective.py, budget.py, signals.py, texts.py and inference.py hold the experiments; initial_weights.py computes the
extra table of one of them. All files are imported here, so a new experiment is one decorated function in a new file.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
