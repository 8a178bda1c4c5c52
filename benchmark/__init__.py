"""Measures sparse training: tasks, experiments, the training loop, the runner, and the CSV files they write."""

import importlib
from typing import Any

_HOMES = {
    "Experiment": "benchmark.experiments.experiment",
    "Task": "benchmark.tasks.task",
    "experiment": "benchmark.experiments.registry",
    "task": "benchmark.tasks.registry",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
