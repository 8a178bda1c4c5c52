"""An experiment: a grid of runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from benchmark.data.objective import Objective, check_classes
from benchmark.errors import UsageError
from benchmark.experiments.grid_check import check_grid
from benchmark.experiments.run import Run
from benchmark.tasks.registry import canonical_task, get_task, read_task
from methods.core.base import Method
from methods.core.registry import check_value, parse

Pairs = Sequence[tuple[float, float]]  # peak learning rates with values of the knob

LEARNING_RATES = (1e-12, 1e12)  # from the least to the greatest; beyond, schedules leave the range of float32


@dataclass(frozen=True)
class Experiment:
    """A grid: every number of epochs x seed x task x method x learning rate x value of the method's knob.

    With `pairs`, a method has pairs of learning rate and value instead of every combination of both.
    """

    tasks: tuple[str, ...]
    methods: tuple[str, ...]
    values: Mapping[str, tuple[float, ...]]  # by knob, or by the name of a method that has its own values
    seeds: tuple[int, ...] = (0, 1, 2)
    epochs: int | None = None  # None: those of `budgets`, or the number of the task's recipe
    budgets: tuple[int, ...] = ()  # numbers of epochs to compare, in the order in which they run
    learning_rates: tuple[float, ...] = ()  # peaks; if empty, the task's recipe has one for each method
    pairs: Callable[[Method], Pairs] | None = None
    precision: str = "float32"
    synthetic: bool = False  # train on synthetic data
    dense_widths: tuple[float, ...] = ()  # small dense networks to add, for each task with the option width
    smoke_methods: tuple[str, ...] = ()  # methods of the smoke tier where others take long or fail; if empty, all
    extra_outputs: Callable[[Path], None] | None = None  # writes files that are not rows into the folder

    def __post_init__(self) -> None:
        check_grid(self)

    def runs(self) -> list[Run]:
        """Return all runs, budget by budget and seed by seed, so that a sweep that is cut short has whole fronts.

        Raises UsageError or MethodError for anything that does not exist or is out of range.
        """
        for name, choices in (("task", self.tasks), ("method", self.methods), ("seed", self.seeds)):
            if not choices:
                raise UsageError(f"an experiment needs at least one {name}")
        runs = list(dict.fromkeys(self._points()))
        for learning_rate in {run.learning_rate for run in runs}:
            if not LEARNING_RATES[0] <= learning_rate <= LEARNING_RATES[1]:
                least, most = LEARNING_RATES
                raise UsageError(f"a learning rate must be in [{least:g}, {most:g}], not {learning_rate:g}")
        return runs

    def _points(self) -> Iterator[Run]:
        points = list(self._of_one_seed())  # computed once, whatever the number of seeds
        for budget, seed in product(self._epochs(), self.seeds):
            for task, epochs, method, learning_rate, value in points:
                yield Run(task, method, value, seed, budget or epochs, learning_rate, self.precision, self.synthetic)

    def _of_one_seed(self) -> Iterator[tuple[str, int, str, float, float]]:
        """Yield the task, the epochs of its recipe, method, learning rate and value of every point."""
        for name in self.tasks:
            task = get_task(name)
            for method in map(parse, self.methods):
                _check_classes(method, task.objective)
                for learning_rate, value in self._pairs_of(method, task.learning_rate_of(method)):
                    yield name, task.epochs, str(method), learning_rate, value
            for width in self.dense_widths if read_task(name)[1].get("width") == 1 else ():
                learning_rate = task.learning_rate_of(parse("dense"))
                yield canonical_task(name, width=width), task.epochs, "dense", learning_rate, 1.0

    def _epochs(self) -> tuple[int | None, ...]:
        return (self.epochs,) if self.epochs is not None else self.budgets or (None,)

    def _pairs_of(self, method: Method, recipe: float) -> Pairs:
        """Return the pairs of a method; `recipe` is the learning rate of the task's recipe."""
        if self.pairs is None:
            return list(product(self.learning_rates or (recipe,), self._values_of(method)))
        pairs = list(self.pairs(method))
        for _, value in pairs:
            check_value(method, value)
        return pairs[:1] + pairs[-1:] if self.synthetic else pairs

    def _values_of(self, method: Method) -> tuple[float, ...]:
        """Return the values of a method's knob; raise UsageError or MethodError if it has none or a wrong one."""
        own = self.values.get(method.name, self.values.get(method.knob, ()))
        values = (1.0,) if method.knob == "none" else own
        if not values:
            others = f", but for {', '.join(self.values)}" if self.values else ""
            raise UsageError(f"this experiment has no values for the {method.knob} of {method}{others}: give --values")
        for value in values:
            check_value(method, value)
        return values

    def smoke(self) -> Experiment:
        """Return the same pipeline in a minute: synthetic data, two epochs, one seed, the ends of every sweep.

        Where it compares budgets, they are one and two epochs.
        """
        few = replace(
            self,
            methods=self.smoke_methods or self.methods,
            values={knob: _ends(values) for knob, values in self.values.items()},
            learning_rates=_ends(self.learning_rates),
            dense_widths=_ends(self.dense_widths),
            seeds=self.seeds[:1],
        )
        few = replace(few, epochs=None, budgets=(1, 2)) if self.budgets else replace(few, epochs=2)
        return replace(few, synthetic=True)


def _check_classes(method: Method, objective: Objective) -> None:
    """Raise MethodError if the method, or one inside it, takes examples of each class and the task has no classes."""
    if method.needs_classes:
        check_classes(method.name, objective)
    if method.inner:
        _check_classes(method.inner, objective)


def _ends(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(dict.fromkeys(values[:1] + values[-1:]))
