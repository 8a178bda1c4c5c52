"""The tasks by name."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Collection

from benchmark.errors import UsageError
from benchmark.tasks.task import Task
from methods.core.registry import split_list

TASKS: dict[str, Callable[..., Task]] = {}


def task(function: Callable[..., Task]) -> Callable[..., Task]:
    """Register a task under its function's name, with hyphens for underscores; the docstring describes it."""
    name = function.__name__.replace("_", "-")
    if name in TASKS:
        raise UsageError(f"a task named {name!r} is registered already")
    TASKS[name] = function
    return function


def get_task(written: str) -> Task:
    """The task that a name stands for; options of its function, which are numbers, may follow in brackets.

    `timm:MODEL-DATASET` is any network of timm, on CIFAR or on a folder of images.
    """
    if written.startswith("timm:"):
        return importlib.import_module("benchmark.tasks.timm_models").timm_task(written)
    name, _, rest = written.partition("[")
    if name not in TASKS:
        raise UsageError(f"there is no task {name!r}; tasks are {', '.join(sorted(TASKS))}")
    return TASKS[name](**parse_options(name, rest, task_options(name)))


def task_options(name: str) -> Collection[str]:
    """The options that may follow a task's name in brackets."""
    return inspect.signature(TASKS[name]).parameters if name in TASKS else ()


def parse_options(name: str, written: str, known: Collection[str]) -> dict[str, float]:
    """The numbers of a task's options, `width=0.5]` say; raises UsageError for what is none of them."""
    options: dict[str, float] = {}
    for pair in split_list(written.removesuffix("]")):
        option, _, value = pair.partition("=")
        if option not in known:
            raise UsageError(f"task {name} has no option {option!r}; its options are {', '.join(known) or 'none'}")
        try:
            options[option] = float(value)
        except ValueError:
            raise UsageError(f"option {option} of task {name} takes a number, not {value!r}") from None
    return options


def describe(thing: object) -> str:
    """First line of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n")[0]
