"""One run of a grid, and its key."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmark.errors import UsageError
from benchmark.records.schema import hash_fields
from benchmark.tasks.registry import TASKS, get_task
from methods.core.base import Method
from methods.core.registry import METHODS, MethodError, parse


@dataclass(frozen=True)
class Run:
    """One point of a grid: everything that decides what is computed."""

    task: str
    method: str
    value: float
    seed: int
    epochs: int
    learning_rate: float
    precision: str = "float32"
    made_data: bool = False

    @property
    def key(self) -> str:
        """Identity of the run: its fields, the task's recipe, and the versions of task and method.

        What stands at its neutral value stays out, so that a new field changes no old key.
        """
        method = METHODS.get(self.method.partition("[")[0])
        registered = TASKS.get(self.task.partition("[")[0]), method, method and method.version
        declared = vars(self) | _recipe(self.task, self.method, self.learning_rate, registered)
        neutral = {"precision": "float32", "made_data": False, "task_version": 1, "method_version": 1}
        neutral |= {"rest_rate": self.learning_rate, "augmentation": "None"}
        return hash_fields(**{name: value for name, value in declared.items() if neutral.get(name) != value})


@functools.lru_cache(maxsize=1024)
def _recipe(task_name: str, method_name: str, learning_rate: float, registered: object) -> dict[str, object]:
    """What task and method, as they are `registered`, decide of a run; kept, since a sweep asks for it so often."""
    task, method = get_task(task_name), parse(method_name)
    recipe = {"batch_size": task.batch_size, "weight_decay": task.weight_decay, "warmup": task.warmup}
    recipe |= {"task_version": task.version, "method_version": _version(method)}
    return recipe | {
        "rule": str(task.rule),
        "rest_rate": task.rest_rate(learning_rate),
        "augmentation": str(task.augmentation),
    }


def _version(method: Method) -> int:
    """Of a method, and of the one that it goes around: as either rises, so does this."""
    return method.version + (_version(method.inner) - 1 if method.inner else 0)


def stale_keys(rows: Iterable[Mapping[str, str]]) -> set[str]:
    """The keys of rows whose task's recipe or whose method has changed since; what is not known here is left alone."""
    stale = set()
    for row in rows:
        point = row["task"], row["method"], float(row["value"]), int(row["seed"]), int(row["epochs"])
        made_data = row["experiment"].endswith("-smoke")
        run = Run(*point, float(row["learning_rate"]), row["precision"], made_data)
        try:
            current = run.key == row["key"]
        except (UsageError, MethodError):
            current = True
        if not current:
            stale.add(row["key"])
    return stale
