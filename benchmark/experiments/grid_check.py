"""The check of an experiment's fields, which a user writes, before anything is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

from benchmark.errors import UsageError

if TYPE_CHECKING:
    from benchmark.experiments.experiment import Experiment

MOST_EPOCHS = 100_000  # the learning rate of every step is kept in memory
MOST_SEED = 2**32 - 1
PRECISIONS = ("float32", "bf16", "auto")


def check_grid(grid: Experiment) -> None:
    """Raise UsageError unless every field of an experiment has the type and range of its kind."""
    for field in ("tasks", "methods"):
        _check(field, getattr(grid, field), lambda name: isinstance(name, str), "written forms")
    _check("seeds", grid.seeds, lambda seed: _whole(seed, 0, MOST_SEED), f"whole numbers from 0 to {MOST_SEED}")
    for field in ("learning_rates", "dense_widths"):
        _check(field, getattr(grid, field), _number, "numbers")
    _check("budgets", grid.budgets, lambda epochs: True, "")
    for epochs in (*grid.budgets, grid.epochs):
        if epochs is not None and not _whole(epochs, 1, MOST_EPOCHS):
            raise UsageError(f"epochs must be a whole number >= 1 and at most {MOST_EPOCHS}, not {epochs!r}")
    if not isinstance(grid.values, Mapping):
        raise UsageError(f"values of an experiment are given by knob, as in {{'density': (0.1,)}}, not {grid.values!r}")
    for knob, values in grid.values.items():
        if not _several(values) or not all(map(_number, values)):
            raise UsageError(f"the values of {knob} are a tuple of numbers, as in (0.5, 0.1), not {values!r}")
    if grid.precision not in PRECISIONS:
        raise UsageError(f"the precision of an experiment is one of {', '.join(PRECISIONS)}, not {grid.precision!r}")
    for field in ("pairs", "extra_outputs"):
        if getattr(grid, field) is not None and not callable(getattr(grid, field)):
            raise UsageError(f"{field} of an experiment is a function, not {getattr(grid, field)!r}")


def _check(field: str, given: Any, fits: Callable[[Any], bool], kind: str) -> None:
    if not _several(given):
        raise UsageError(f"an experiment has a tuple of {field}, as in {field}=(first, second), not {given!r}")
    for one in given:
        if not fits(one):
            raise UsageError(f"{field} of an experiment are {kind}, not {one!r}")


def _several(given: Any) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, str)


def _whole(given: Any, least: int, most: int) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and least <= given <= most


def _number(given: Any) -> bool:
    return isinstance(given, Real) and not isinstance(given, bool)
