"""The figures, one file each. Every file of this folder is imported, so a new file is a new figure.

A file registers its function with `@figure` of plots/registry.py, which names the experiments that it is drawn for.
fronts.py is drawn for every experiment; families.py, dynamics.py, initialization.py, layers.py, learning_rate.py,
misalignment.py, search.py, objective.py, budget.py and inference.py are drawn for one or two. below_dense.py and
forest.py draw what families.py shows. costs.py, attainments.py and profiles.py are drawn for comparisons of
methods.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
