"""The experiments by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from benchmark.errors import UsageError
from benchmark.experiments.experiment import Experiment
from benchmark.tasks.registry import TASKS
from methods.core.spec import check_printable, near

EXPERIMENTS: dict[str, Callable[[], Experiment]] = {}


def experiment(function: Callable[[], Experiment]) -> Callable[[], Experiment]:
    """Register an experiment under its function's name, with hyphens for underscores; the docstring describes it."""
    name = function.__name__.replace("_", "-")
    check_printable(name)
    if name in EXPERIMENTS:
        raise UsageError(f"an experiment named {name!r} is registered already")
    if inspect.signature(function).parameters:
        raise UsageError(f"the function of experiment {name!r} takes parameters, and no experiment has options")
    EXPERIMENTS[name] = function
    return function


def get_experiment(name: str) -> Experiment:
    """Return the experiment of a name; raise UsageError if there is none."""
    if name not in EXPERIMENTS:
        if name in TASKS:
            raise UsageError(f"{name} is a task and no experiment; `sparsefront run {name}` runs a grid on it")
        choices = ", ".join(sorted(EXPERIMENTS))
        raise UsageError(
            f"there is no experiment {name!r}{near(name, [*EXPERIMENTS, *TASKS])}; experiments are {choices}"
        )
    made = EXPERIMENTS[name]()
    if not isinstance(made, Experiment):
        raise UsageError(f"the function of experiment {name} returns {type(made).__name__}, and no Experiment")
    return made
