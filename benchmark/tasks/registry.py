"""The tasks by name, and families of tasks by the start of their name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Annotated, Any

from benchmark.errors import UsageError
from benchmark.tasks.recipe import check_recipe
from benchmark.tasks.task import Task
from methods.core.option_types import Range
from methods.core.spec import (
    Option,
    SpecError,
    check_printable,
    name_of,
    near,
    options_of,
    print_form,
    read_options,
    split_form,
)

TASKS: dict[str, Callable[..., Task]] = {}
# From the start of a name, such as `timm:`, to the function that finds the task function for the rest of the name.
SCHEMES: dict[str, Callable[[str], Callable[..., Task]]] = {}


# The options that every task has besides its function's: each replaces a part of the recipe.
RECIPE: dict[str, Any] = {
    "batch_size": Annotated[int, Range("[1, 1e9]")],
    "weight_decay": Annotated[float, Range("[0, 1e6]")],
}


def task(function: Callable[..., Task]) -> Callable[..., Task]:
    """Register a task under its function's name, with hyphens for underscores.

    The docstring describes the task. The function's parameters are the options that may follow the name in brackets.
    """
    name = function.__name__.replace("_", "-")
    check_printable(name)
    if name in TASKS:
        raise UsageError(f"a task named {name!r} is registered already")
    TASKS[name] = function
    return function


def task_scheme(prefix: str) -> Callable[[Callable[[str], Callable[..., Task]]], Callable[[str], Callable[..., Task]]]:
    """Register a whole family of tasks by the start of their names, such as `timm:`.

    The decorated function gets the rest of the name, such as `resnet26-cifar10`, and returns the task function.
    """

    def decorate(find: Callable[[str], Callable[..., Task]]) -> Callable[[str], Callable[..., Task]]:
        if prefix in SCHEMES:
            raise UsageError(f"tasks that start with {prefix!r} are registered already")
        SCHEMES[prefix] = find
        return find

    return decorate


def get_task(written: str) -> Task:
    """Return the task of a written form; raise UsageError for an unknown task or option and for a wrong value."""
    name, function, options = _read(written)
    changes = _changes(function, options)
    return replace(_made(name, function, options, changes), **changes)


def canonical_task(written: str, **changes: Any) -> str:
    """Return the one written form of a task, with some options changed: those at their default are left out."""
    if not changes:
        name = name_of(written)
        return _canonical_task(written, TASKS.get(name))
    name, values = read_task(written)
    return print_form(name, task_options(_find(name)), values | changes)


@lru_cache(maxsize=1024)  # a sweep asks for the same few forms once for each of its runs
def _canonical_task(written: str, registered: Callable[..., Task] | None) -> str:
    name, values = read_task(written)
    return print_form(name, task_options(_find(name)), values)


def read_task(written: str) -> tuple[str, dict[str, Any]]:
    """Return the name of a task without its options, and the value of every option; None is the recipe's own."""
    name, function, options = _read(written)
    changes = _changes(function, options)
    if changes:  # the recipe's own value, when it is given, is no change
        made = _made(name, function, options, changes)
        options |= {name: None for name, value in changes.items() if value == getattr(made, name)}
    return name, {option.name: option.default for option in task_options(function)} | options


def task_options(function: Callable[..., Task]) -> tuple[Option, ...]:
    """Return the options of a task: its function's, and those of every recipe that it does not have itself."""
    own = options_of(function)
    taken = {option.name for option in own}
    return own + tuple(Option(name, kind, None) for name, kind in RECIPE.items() if name not in taken)


def _changes(function: Callable[..., Task], options: dict[str, Any]) -> dict[str, Any]:
    """Return the given options that change the recipe and are none of the function's."""
    own = {option.name for option in options_of(function)}
    return {name: value for name, value in options.items() if name in RECIPE and name not in own}


def _made(name: str, function: Callable[..., Task], options: dict[str, Any], changes: dict[str, Any]) -> Task:
    made = function(**{option: value for option, value in options.items() if option not in changes})
    if not isinstance(made, Task):
        raise UsageError(f"the function of task {name} returns {type(made).__name__}, and no Task")
    check_recipe(f"task {name}", made)
    return made


def _read(written: str) -> tuple[str, Callable[..., Task], dict[str, Any]]:
    """Return the name, the task function and the given options of a written form."""
    try:
        name, given = split_form(written)
        function = _find(name)
        return name, function, read_options(f"task {name}", given, task_options(function))
    except SpecError as error:
        raise UsageError(str(error)) from None


def _find(name: str) -> Callable[..., Task]:
    for prefix, find in SCHEMES.items():
        if name.startswith(prefix):
            return find(name.removeprefix(prefix))
    if name not in TASKS:
        raise UsageError(f"there is no task {name!r}{near(name, TASKS)}; tasks are {', '.join(sorted(TASKS))}")
    return TASKS[name]


def describe(thing: object) -> str:
    """Return the first line of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n")[0]
