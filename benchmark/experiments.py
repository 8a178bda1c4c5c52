"""The experiments: named grids of runs. A new experiment is one function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from benchmark import records
from benchmark.errors import UsageError
from benchmark.initial import write_densities
from benchmark.tasks import get_task
from methods.registry import check_value, parse


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
        task, method = get_task(self.task), parse(self.method)
        recipe = {"batch_size": task.batch_size, "weight_decay": task.weight_decay, "warmup": task.warmup}
        declared = vars(self) | recipe | {"rule": str(task.rule)}
        declared |= {"task_version": task.version, "method_version": method.version}
        declared |= {"rest_rate": task.rest_rate(self.learning_rate)}
        neutral = {"precision": "float32", "made_data": False, "task_version": 1, "method_version": 1}
        neutral |= {"rest_rate": self.learning_rate}
        return records.key(**{name: value for name, value in declared.items() if neutral.get(name) != value})


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
    made_data: bool = False
    beside: Callable[[Path], None] | None = None  # writes what is not a run into the experiment's folder

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
                    for rate, value in product(self.learning_rates or (task.rate(method),), values):
                        check_value(method, value)
                        yield Run(name, str(method), value, seed, epochs, rate, self.precision, self.made_data)

    def smoke(self) -> Experiment:
        """The same pipeline in a minute: made data, two epochs, one seed, the ends of every sweep."""
        ends = {knob: _ends(values) for knob, values in self.values.items()}
        rates = _ends(self.learning_rates)
        return replace(self, values=ends, learning_rates=rates, seeds=self.seeds[:1], epochs=2, made_data=True)


def _ends(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(dict.fromkeys(values[:1] + values[-1:]))


EXPERIMENTS: dict[str, Callable[[], Experiment]] = {}


def experiment(function: Callable[[], Experiment]) -> Callable[[], Experiment]:
    """Register an experiment under its function's name, with hyphens for underscores."""
    EXPERIMENTS[function.__name__.replace("_", "-")] = function
    return function


def get_experiment(name: str) -> Experiment:
    if name not in EXPERIMENTS:
        raise UsageError(f"there is no experiment {name!r}; experiments are {', '.join(sorted(EXPERIMENTS))}")
    return EXPERIMENTS[name]()


DENSITIES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
# Float32's epsilon is reached from a strength of about 6; from there on the front bends.
STRENGTHS = (6.0, 6.5, 7.0, 8.0, 10.0, 14.0, 20.0)


@experiment
def quickstart() -> Experiment:
    """Which method keeps most accuracy at which compression? A first answer, on handwritten digits.

    Two or three minutes on two cores. Expected: dense at 98 %, every method far above chance at CR 10, dwf at
    depths 2 and 3 ahead from CR 50 on. The budget is short for float32's epsilon, so zero is |w| < 1e-4 here.
    """
    return Experiment(
        tasks=("lenet300-digits",),
        methods=(
            "dense",
            "dwf[depth=2,threshold=0.0001]",
            "dwf[depth=3,threshold=0.0001]",
            "dwf[depth=4,threshold=0.0001]",
            "magnitude",
            "random",
            "snip",
        ),
        values={"density": DENSITIES[:-1], "strength": (3.2, 3.5, 4.0, 5.0, 8.0, 12.0)},
    )


def _lenet300(dataset: str) -> Experiment:
    return Experiment(
        tasks=(f"lenet300-{dataset}",),
        methods=(
            "dense",
            "dwf[depth=2]",
            "dwf[depth=3]",
            "magnitude",
            "snip",
            "random",
            "dwf[depth=4]",
            "random[distribution=erk]",
            "magnitude[finetune=0]",
        ),
        values={"density": DENSITIES, "strength": STRENGTHS},
    )


@experiment
def lenet300_mnist() -> Experiment:
    """DWF against pruning on the paper's smallest network, MNIST.

    About an hour and a half on two cores. Expected: the order of methods on Fashion-MNIST; not measured yet.
    """
    return _lenet300("mnist")


@experiment
def lenet300_fmnist() -> Experiment:
    """DWF against pruning on the paper's smallest network, Fashion-MNIST.

    About an hour and a half on two cores, a third of it for `--seeds 0`. Expected: dense at 89 to 90 %.
    """
    return _lenet300("fmnist")


DEPTHS = tuple(f"dwf[depth={depth}]" for depth in (1, 2, 3, 4, 6, 8))


RATES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


@experiment
def learning_rate() -> Experiment:
    """Which learning rate does each depth want? A grid of rates and strengths, the same for every depth.

    Its report writes rates.csv: the choice by validation accuracy that the recipes of lenet300-fmnist and -mnist name.
    An hour on two cores. Expected: the best rate grows with strength and lies well above dense training's.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=("dense", *DEPTHS),
        values={"strength": (6.0, 7.0, 8.0, 12.0, 20.0)},
        learning_rates=RATES,
        seeds=(0,),
        epochs=10,
    )


@experiment
def learning_rate_digits() -> Experiment:
    """Which learning rate does each method of quickstart want? As many trials for every method.

    Its report writes rates.csv: the choice by validation accuracy that the recipe of lenet300-digits names. Five
    minutes on two cores.
    """
    grid = quickstart()
    values = {"density": (0.2, 0.05, 0.02, 0.01), "strength": (3.5, 5.0, 8.0, 12.0)}
    return replace(grid, values=values, learning_rates=RATES, seeds=(0,))


@experiment
def init() -> Experiment:
    """How should the factors start? Every initialization at depths 2, 3 and 4, and their weights before training.

    Half an hour on two cores.
    """
    schemes = ("", ",rescale=true", ",epsilon=0", ",init=variance", ",init=standard", ",init=root", ",init=ones")
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=tuple(f"dwf[depth={depth}{scheme}]" for scheme in schemes for depth in (2, 3, 4)),
        values={"strength": (8.0,)},
        epochs=10,
        beside=write_densities,
    )


@experiment
def depth() -> Experiment:
    """Does depth pay? Fronts of factorization at depths 1 to 8, each at its own learning rate.

    About an hour on two cores. Expected: depth 1 stays dense but for weights that see no data.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=("dense", *DEPTHS),
        values={"strength": (6.5, 7.0, 8.5, 13.0, 25.0)},
        epochs=20,
    )


@experiment
def dynamics() -> Experiment:
    """When does a factorized network become sparse, and what happens to its accuracy meanwhile? Curves over epochs.

    Half an hour on two cores.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=DEPTHS[1:4],
        values={"strength": (7.0, 10.0, 20.0)},
        epochs=20,
    )


@experiment
def layers() -> Experiment:
    """How do methods share their weights out among layers, and which of them empties one?

    Half an hour on two cores. Expected: random keeps every layer's share, magnitude and factorization the last layer's.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=("dwf[depth=2]", "dwf[depth=3]", "dwf[depth=4]", "magnitude", "snip", "synflow"),
        values={"density": (0.3, 0.1, 0.03, 0.01, 0.002), "strength": (6.5, 7.0, 8.5, 13.0, 25.0)},
        epochs=10,
    )


@experiment
def misalignment() -> Experiment:
    """Do the factors of a weight align as theory says? Their imbalance against its predicted decay.

    Ten minutes on two cores. Expected: from any start, and at any depth and strength, all runs on one line.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=(*DEPTHS[1:4], "dwf[depth=3,init=ones]"),
        values={"strength": (3.0, 10.0)},
        epochs=10,
    )


@experiment
def families() -> Experiment:
    """Every family of sparse training on one grid: penalties, pruning before, during and after training, dynamic masks.

    A long night on two cores. Expected: at high compression gradual magnitude above one-shot, one-shot above SNIP, SNIP
    above random; RigL above a static random mask; magnitude at initialization collapses early. Not measured yet.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=(
            *("dense", "dwf[depth=2]", "dwf[depth=3]", "dwf[depth=4]", "l1", "prox-l1", "prox-lq[q=2/3]"),
            *("prox-lq[q=1/2]", "str", "magnitude", "magnitude[finetune=0]", "powerprop", "ham", "gmp", "acdc"),
            *("imp[rounds=3]", "set", "rigl", "snip", "snip[iterations=100]", "synflow", "grasp", "magnitude-init"),
            *("random", "random[distribution=erk]", "control[mask=magnitude,kind=shuffle]"),
            "control[mask=magnitude,kind=reinit]",
        ),
        values={
            "density": (0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002),
            "strength": (6.5, 7.0, 8.5, 11.0, 16.0, 25.0),
            "penalty": (1e-5, 3e-5, 1e-4, 2e-4, 4e-4, 8e-4),
            "str": (0.2, 0.3, 0.4, 0.6, 0.8, 1.0),
        },
    )
