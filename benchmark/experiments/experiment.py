"""An experiment: a grid of runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.experiments.run import Run
from benchmark.tasks.registry import canonical_task, get_task, read_task
from methods.core.registry import check_value, parse


@dataclass(frozen=True)
class Experiment:
    """A grid: every task x method x learning rate x value of the method's knob x seed."""

    tasks: tuple[str, ...]
    methods: tuple[str, ...]
    values: Mapping[str, tuple[float, ...]]  # by knob, or by the name of a method that wants its own
    seeds: tuple[int, ...] = (0, 1, 2)
    epochs: int | None = None  # None: as the task's recipe says
    learning_rates: tuple[float, ...] = ()  # peaks; where there are none, the task's recipe has one for each method
    precision: str = "float32"
    synthetic: bool = False
    widths: tuple[float, ...] = ()  # of small dense networks beside those of tasks that come in widths
    extra_outputs: Callable[[Path], None] | None = None  # writes files that are not rows into the folder

    def runs(self) -> list[Run]:
        """All runs, seed by seed, so that a sweep that is cut short has whole fronts.

        Raises UsageError or MethodError for anything that does not exist or is out of range.
        """
        if self.epochs is not None and self.epochs < 1:
            raise UsageError(f"epochs must be a whole number >= 1, not {self.epochs}")
        for name, choices in (("task", self.tasks), ("method", self.methods), ("seed", self.seeds)):
            if not choices:
                raise UsageError(f"an experiment needs at least one {name}")
        return list(dict.fromkeys(self._points()))

    def _points(self) -> Iterator[Run]:
        for seed in self.seeds:
            for name in self.tasks:
                task = get_task(name)
                epochs = self.epochs or task.epochs
                for method in map(parse, self.methods):
                    own = self.values.get(method.name, self.values.get(method.knob, ()))
                    values = (1.0,) if method.knob == "none" else own
                    if not values:
                        raise UsageError(
                            f"this experiment has no values for the {method.knob} of {method}: give --values"
                        )
                    for rate, value in product(self.learning_rates or (task.learning_rate_of(method),), values):
                        check_value(method, value)
                        yield Run(name, str(method), value, seed, epochs, rate, self.precision, self.synthetic)
                for width in self.widths if read_task(name)[1].get("width") == 1 else ():
                    rate = task.learning_rate_of(parse("dense"))
                    narrow = canonical_task(name, width=width)
                    yield Run(narrow, "dense", 1.0, seed, epochs, rate, self.precision, self.synthetic)

    def smoke(self) -> Experiment:
        """The same pipeline in a minute: made data, two epochs, one seed, the ends of every sweep."""
        ends = {knob: _ends(values) for knob, values in self.values.items()}
        rates, widths = _ends(self.learning_rates), _ends(self.widths)
        few = replace(self, values=ends, learning_rates=rates, widths=widths, seeds=self.seeds[:1])
        return replace(few, epochs=2, synthetic=True)


def _ends(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(dict.fromkeys(values[:1] + values[-1:]))
