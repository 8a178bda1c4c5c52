"""The options of the command line that change an experiment."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from benchmark.cli.lists import folder_name
from benchmark.errors import UsageError
from benchmark.experiments.experiment import Experiment
from benchmark.experiments.fronts import experiment_or_grid
from benchmark.tasks.registry import canonical_task
from methods.core.registry import parse
from methods.core.spec import split_list

Number = TypeVar("Number", int, float)


def override(
    name: str,
    tasks: str | None,
    methods: str | None,
    values: list[str] | None,
    seeds: str | None,
    epochs: int | None,
    precision: str | None,
    tier: str,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    weight_decay: float | None = None,
) -> tuple[str, Experiment]:
    """Return the name of the results folder, and the experiment with the changes that the command line asks for."""
    experiment = experiment_or_grid(name)
    name = folder_name(name)
    if tier == "smoke":
        name, experiment = f"{name}-smoke", experiment.smoke()
    if tasks is not None:
        experiment = replace(experiment, tasks=tuple(split_list(tasks)))
    recipe = {"batch_size": batch_size, "weight_decay": weight_decay}
    if changes := {option: value for option, value in recipe.items() if value is not None}:
        changed = (canonical_task(canonical_task(task, **changes)) for task in experiment.tasks)
        experiment = replace(experiment, tasks=tuple(dict.fromkeys(changed)))
    if learning_rate is not None:
        experiment = replace(experiment, learning_rates=(learning_rate,), pairs=None)
    if methods is not None:
        experiment = replace(experiment, methods=tuple(split_list(methods)), dense_widths=())
    if values:
        experiment = replace(experiment, values=_values(values, experiment), pairs=None)
    if seeds is not None:
        experiment = replace(
            experiment, seeds=tuple(_numbers(seeds, int, "--seeds", "whole numbers from 0 to 4294967295"))
        )
    if epochs is not None:
        experiment = replace(experiment, epochs=epochs)
    if precision is not None:
        experiment = replace(experiment, precision=precision)
    return name, experiment


def _values(texts: list[str], experiment: Experiment) -> dict[str, tuple[float, ...]]:
    """Return values by knob or method, from texts such as `density=0.1,0.2` for a knob and `snip=0.1` for a method.

    If all methods have one knob, `0.1,0.2` is enough. Values for a knob are for all methods that have it, also for
    methods for which the experiment has values of their own.
    """
    methods = [parse(method) for method in experiment.methods]
    knobs = sorted({method.knob for method in methods} - {"none"})
    values: dict[str, tuple[float, ...]] = {}
    for text in texts:
        knob, equals, numbers = text.rpartition("=")
        if not equals and len(knobs) == 1:
            knob = knobs[0]
        if knob not in {*knobs, *(method.name for method in methods)}:
            forms = " and ".join(f"--values {knob}=..." for knob in knobs) or "no --values: they have no knob"
            raise UsageError(f"--values {text!r} does not say what it is for; these methods take {forms}")
        values[knob] = values.get(knob, ()) + tuple(_numbers(numbers, float, "--values", "numbers"))
    knob_of = {method.name: method.knob for method in methods}
    kept = {name: own for name, own in experiment.values.items() if knob_of.get(name) not in values}
    return {**kept, **values}


def _numbers(text: str, kind: type[Number], option: str, choices: str) -> list[Number]:
    """Read numbers that are separated by commas; whole numbers are seeds, from 0 to 2^32 - 1."""
    try:
        numbers = [kind(part) for part in split_list(text)]
    except ValueError:
        numbers = []
    if not numbers or (kind is int and not 0 <= min(numbers) <= max(numbers) < 2**32):
        raise UsageError(f"{option} takes {choices} separated by commas, not {text!r}")
    return numbers
