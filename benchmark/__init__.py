"""The measuring of sparse training: tasks, experiments, the training loop, the runner, and the CSV files they write.

api.py holds the functions for notebooks, errors.py the exception for bad input, and __main__.py `python -m benchmark`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.api import Trained, run_experiment, train_once
    from benchmark.deployment.compact import compact
    from benchmark.deployment.sparse_rows import with_sparse_rows
    from benchmark.deployment.storage import load_network, save_network
    from benchmark.errors import UsageError
    from benchmark.experiments.experiment import Experiment
    from benchmark.experiments.registry import experiment
    from benchmark.sweep.kept import load_run
    from benchmark.tasks.registry import task
    from benchmark.tasks.task import Task

__all__ = [
    "Experiment",
    "Task",
    "Trained",
    "UsageError",
    "compact",
    "experiment",
    "load_network",
    "load_run",
    "run_experiment",
    "save_network",
    "task",
    "train_once",
    "with_sparse_rows",
]

# Each name is imported when it is first used, so that reading results does not load what training needs.
_MODULES = {
    "Experiment": "benchmark.experiments.experiment",
    "Task": "benchmark.tasks.task",
    "Trained": "benchmark.api",
    "UsageError": "benchmark.errors",
    "compact": "benchmark.deployment.compact",
    "experiment": "benchmark.experiments.registry",
    "load_network": "benchmark.deployment.storage",
    "load_run": "benchmark.sweep.kept",
    "run_experiment": "benchmark.api",
    "save_network": "benchmark.deployment.storage",
    "task": "benchmark.tasks.registry",
    "train_once": "benchmark.api",
    "with_sparse_rows": "benchmark.deployment.sparse_rows",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
