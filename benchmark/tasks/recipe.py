"""The check of a task's fields, which a user writes, before anything is loaded or trained."""

from __future__ import annotations

import math
from typing import Any

from benchmark.data.objective import Objective
from benchmark.errors import UsageError
from benchmark.tasks.task import Task


def check_recipe(owner: str, task: Task) -> None:
    """Raise UsageError unless every field of a task has the type and range of its kind.

    The sentence names the field and the owner, such as `task mlp-digits`.
    """
    for field in ("model", "data"):
        given = getattr(task, field)
        # A network is callable, too; its type is not asked for, since lists of tasks import no torch.
        if not callable(given) or (hasattr(given, "state_dict") and not isinstance(given, type)):
            raise UsageError(f"{field} of {owner} is {_kind(given)}, not a function that returns one")
    if not isinstance(task.objective, Objective):
        raise UsageError(f"objective of {owner} is {_kind(task.objective)}, not an Objective such as Regression()")
    check_objective(owner, task.objective)
    shape = task.shape
    if not isinstance(shape, tuple | list) or not all(_whole(size, 1) for size in shape):
        raise UsageError(f"shape of {owner} is {shape!r}, not a tuple of whole numbers such as (1, 28, 28)")
    least = {"classes": task.objective.least, "examples": 1, "epochs": 1, "batch_size": 1, "version": 1}
    for field, smallest in (least | {"vocabulary": 0}).items():
        number = getattr(task, field)
        if not _whole(number, smallest):
            raise UsageError(f"{field} of {owner} is {number!r}, not a whole number >= {smallest}")
    if not _number(task.warmup) or not 0 <= task.warmup < 1:
        raise UsageError(f"warmup of {owner} is {task.warmup!r}, not a fraction of a phase in [0, 1)")
    if not _number(task.weight_decay) or not 0 <= task.weight_decay < math.inf:
        raise UsageError(f"weight_decay of {owner} is {task.weight_decay!r}, not a number >= 0")
    for written, rate in {"": task.learning_rate, **task.learning_rates}.items():
        if not _number(rate) or not 0 < rate < math.inf:
            of = f" of {written}" if written else ""
            raise UsageError(f"learning_rate{of} of {owner} is {rate!r}, not a number above 0")


def check_objective(owner: str, objective: Objective) -> None:
    """Raise UsageError unless an objective names its metric and has all functions of one."""
    kind = type(objective).__name__
    metric, better = (getattr(objective, field, None) for field in ("metric", "better"))
    if not isinstance(metric, str) or not metric:
        raise UsageError(f"metric of {kind}, the objective of {owner}, is {metric!r}, not its name as a text")
    if better not in ("higher", "lower"):
        raise UsageError(f"better of {kind}, the objective of {owner}, is {better!r}, not higher or lower")
    needed = ("losses", "scores", "fault", "chance", "synthetic")
    if missing := [name for name in needed if getattr(type(objective), name) is getattr(Objective, name)]:
        raise UsageError(f"{kind}, the objective of {owner}, has no function {', '.join(missing)}")


def _whole(number: Any, least: int) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= least


def _number(number: Any) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool)


def _kind(given: object) -> str:
    return "None" if given is None else f"a {type(given).__name__}"
