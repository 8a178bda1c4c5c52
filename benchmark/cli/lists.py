"""The commands `sparsefront list` and `sparsefront show`: the methods, tasks and experiments that there are."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmark.errors import UsageError
from benchmark.experiments.registry import EXPERIMENTS, get_experiment
from benchmark.records.schema import FAMILIES
from benchmark.tasks.registry import SCHEMES, TASKS, describe, get_task
from methods.core.option_types import choices, print_value
from methods.core.registry import ALIASES, METHODS, MethodError, parse, signature
from methods.core.spec import MISSING, SpecError, near, options_of, split_form


def lines(what: str) -> Iterator[str]:
    """Yield one line for each method, task or experiment, whole at any width; methods come by family.

    A task's line has its data set and recipe, an experiment's the number of its runs, unless they need an option first.
    """
    if what == "methods":
        places = {family: place for place, family in enumerate(FAMILIES)}
        found = sorted(METHODS.items(), key=lambda item: (places.get(item[1].family, len(places)), item))
        for name, cls in found:
            yield f"{name}  [{cls.family}; {cls.knob}]  {describe(cls)}  {signature(cls)}"
        for name, written in sorted(ALIASES.items()):
            yield f"{name}  [{parse(written).family}; {parse(written).knob}]  Another name of {written}."
    elif what == "tasks":
        yield from (f"{name}  {_size_of_task(name)}{describe(function)}" for name, function in sorted(TASKS.items()))
        yield from (f"{prefix}...  {describe(find)}" for prefix, find in sorted(SCHEMES.items()))
    else:
        for name, function in sorted(EXPERIMENTS.items()):
            yield f"{name}  {_size_of_experiment(name)}{describe(function)}"


def _size_of_task(name: str) -> str:
    with suppress(Exception):  # one task with a fault hides no other
        task = get_task(name)
        data = f"{task.dataset or 'its own data'}, {task.examples} examples"
        return f"[{data}; {task.epochs} epochs at learning rate {task.learning_rate:g}]  "
    return ""


def _size_of_experiment(name: str) -> str:
    with suppress(UsageError, MethodError):
        grid = get_experiment(name)
        return f"[{len(grid.runs())} runs]  " if grid.pairs is None else ""  # drawing pairs imports torch
    return ""


def details(name: str) -> Iterator[str]:
    """Yield the lines on a method, a task or an experiment; raise UsageError if there is none of this name."""
    plain = _plain(name)
    found = False
    if plain in METHODS or plain in ALIASES:
        found = True
        yield from _method(name)
    if plain in TASKS or any(name.startswith(start) for start in SCHEMES):
        found = True
        yield from _task(name)
    if name in EXPERIMENTS:
        found = True
        yield from _experiment(name)
    if not found:
        choices = {*METHODS, *ALIASES, *TASKS, *EXPERIMENTS}
        raise UsageError(
            f"there is no method, task or experiment {name!r}{near(name, choices)}; `sparsefront list methods`, "
            "`list tasks` and `list experiments` name all"
        )


def _method(name: str) -> Iterator[str]:
    method = parse(name)
    cls = type(method)
    yield f"method {method}"
    yield inspect.getdoc(cls) or ""
    yield f"  family: {cls.family}"
    yield f"  knob: {cls.knob}"
    yield f"  paper: {cls.paper or '-'}"
    yield from _options(cls)


def _task(name: str) -> Iterator[str]:
    task = get_task(name)
    yield f"task {name}"
    plain = _plain(name)
    if plain in TASKS:
        yield inspect.getdoc(TASKS[plain]) or ""
    outputs = {"mean squared error": "numbers to predict", "bits per character": "characters"}
    kind = outputs.get(task.objective.metric, "classes")
    yield f"  data set: {task.dataset or '-'}, {task.examples} training examples, {task.classes} {kind}"
    yield f"  inputs: {' x '.join(map(str, task.shape))}{f', of {task.vocabulary} tokens' if task.vocabulary else ''}"
    yield f"  metric: {task.objective.metric}, {task.objective.better} is better"
    yield f"  recipe: {task.epochs} epochs in batches of {task.batch_size}, weight decay {task.weight_decay:g}"
    yield f"  learning rate: {task.learning_rate:g}"
    yield from (f"    {method}: {rate:g}" for method, rate in task.learning_rates.items())
    if plain in TASKS:
        yield from _options(TASKS[plain])
    yield "  every task has the options batch_size and weight_decay, which replace those of the recipe"


def _experiment(name: str) -> Iterator[str]:
    grid = get_experiment(name)
    count = len(grid.runs())  # raises for a faulty grid
    yield f"experiment {name}"
    yield inspect.getdoc(EXPERIMENTS[name]) or ""
    yield f"  tasks: {', '.join(grid.tasks)}"
    yield f"  methods: {', '.join(grid.methods)}"
    yield from (f"  {knob}: {', '.join(f'{value:g}' for value in values)}" for knob, values in grid.values.items())
    yield f"  seeds: {', '.join(map(str, grid.seeds))}"
    yield f"  runs: {count}; `sparsefront plan {name}` estimates the time"


def _options(owner: Any) -> Iterator[str]:
    for option in options_of(owner):
        default = "" if option.default is MISSING else f", by default {print_value(option.default)}"
        needs = f", only with {option.needs[0]}={print_value(option.needs[1])}" if option.needs else ""
        yield f"  option {option.name}: {choices(option.kind)}{default}{needs}"


def folder_of(results: Path, name: str) -> Path:
    """Return the folder of a sweep; raise UsageError, with the folder that was meant, if it has no results."""
    folder = results / name
    if (written := results / folder_name(name)).is_dir():
        return written
    if not folder.is_dir():
        there = {path.parent.name for path in results.glob("*/runs.csv")} if results.is_dir() else set()
        smoke = f"{name}-smoke"
        meant = f" (did you mean {smoke}, which `--tier smoke` wrote?)" if smoke in there else near(name, there)
        if (Path(name) / "runs.csv").is_file():
            meant = f" (did you mean {Path(name).name} --results {Path(name).parent}?)"
        raise UsageError(f"there is no {folder / 'runs.csv'}{meant}; `sparsefront run` writes it")
    return folder


def folder_name(name: str) -> str:
    """Return the name of the folder of an experiment, or of the grid of a task, whose form may name a file."""
    return name.replace("/", "-")


def _plain(name: str) -> str:
    """Return a written form without its options; raise UsageError for a malformed one."""
    try:
        return split_form(name)[0]
    except SpecError as error:
        raise UsageError(str(error)) from None
