"""Tasks: a network, a data set and the recipe that every method trains it with.

task.py defines a task, registry.py finds it by name, loading.py loads its data. learning_rates.py reads the learning
rates that searches chose. lenets.py, cifar.py, signals.py, tables.py and texts.py hold tasks, and timm_models.py and
torchvision_models.py those of other libraries' networks, which start from a file by pretrained.py. All files are
imported here, so a new task is one decorated function in a new file.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
