"""The experiments by name."""

from __future__ import annotations

from collections.abc import Callable

from benchmark.errors import UsageError
from benchmark.experiments.experiment import Experiment

EXPERIMENTS: dict[str, Callable[[], Experiment]] = {}


def experiment(function: Callable[[], Experiment]) -> Callable[[], Experiment]:
    """Register an experiment under its function's name, with hyphens for underscores."""
    EXPERIMENTS[function.__name__.replace("_", "-")] = function
    return function


def get_experiment(name: str) -> Experiment:
    if name not in EXPERIMENTS:
        raise UsageError(f"there is no experiment {name!r}; experiments are {', '.join(sorted(EXPERIMENTS))}")
    return EXPERIMENTS[name]()
