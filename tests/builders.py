"""The things that several tests build: small networks and tasks, made-up runs, and runs that are interrupted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict, astuple, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy
import pytest
import torch
from rich.console import Console

from benchmark.cli import commands
from benchmark.contract.promise import TIMES
from benchmark.contract.stage import FakeProbe, batch_norm_cnn, mlp, toy_task  # noqa: F401
from benchmark.engines.settings import Settings
from benchmark.experiments.experiment import Experiment
from benchmark.experiments.run import Run
from benchmark.records.schema import COLUMNS, Row, Status, hash_fields
from benchmark.records.table import append, read
from benchmark.training.checkpoint import Checkpoint
from benchmark.training.loop import train
from benchmark.training.measure import Result
from methods.core.base import Method
from methods.core.masked import Masked
from methods.core.network import Network
from methods.core.registry import METHODS, parse

if TYPE_CHECKING:
    from matplotlib.lines import Line2D

ROOT = Path(__file__).parent.parent
RUN_PATH = {"torch", "numpy", "typer", "rich", "benchmark", "methods"}  # all that a bare GPU node has
ON_DEMAND = {
    "torchvision",
    "sklearn",
    "mnist1d",
    "timm",
    "PIL",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "ray",
    "safetensors",
}  # a task or an engine names them and imports them when it is used

# Every method; `obs` with fewer examples, since it goes through them one by one.
QUICK_FORMS = [{"obs": "obs[examples=20]"}.get(name, name) for name in METHODS]

# --- Networks and tasks that train in a moment; most of them belong to the contract.


def dropout_mlp(seed: int = 0) -> torch.nn.Sequential:
    torch.manual_seed(seed)
    nn = torch.nn
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, 4))


# --- Methods without a training loop.


M = TypeVar("M", bound=Method)


def parsed(form: str, kind: type[M]) -> M:
    """Return the method of a written form as an instance of its class."""
    method = parse(form)
    assert isinstance(method, kind)
    return method


def mask_of(method: Masked) -> torch.Tensor:
    """Return the mask [R, N] of a method that has pruned."""
    assert method.mask is not None
    return method.mask


WEIGHTS = [0.5, -4.0, 3.0, -0.1, 2.0, 1.0]


def six() -> Network:
    """Return a network of one layer that holds the six WEIGHTS."""
    net = Network([torch.nn.Linear(6, 1, bias=False)])
    net.weights[0] = torch.tensor(WEIGHTS)
    return net


def kept(net: Network) -> list[int]:
    """Return the places of the first run's weights that are not zero."""
    return net.weights[0].nonzero().flatten().tolist()


# --- Training that is interrupted.


def untimed(result: Result) -> tuple[Any, ...]:
    """Return all of a result that does not depend on the clock; `repr` makes NaN equal to itself."""
    measured = {name: value for name, value in asdict(result.measured).items() if name not in TIMES}
    return repr(measured), repr(result.curves), result.layers, result.at_thresholds, result.correct


class Dying(Checkpoint):
    """A checkpoint that is saved before the given steps, counted from 0, and then ends the training."""

    moments: tuple[int, ...] = ()
    count = -1

    def due(self) -> bool:
        self.count += 1
        return self.count in self.moments

    def save(self, state: dict[str, Any]) -> None:
        super().save(state)
        raise InterruptedError


def interrupted(folder: Path, moments: tuple[int, ...], *arguments: Any) -> list[Result]:
    """Train with an interruption at each moment; steps are counted anew after each."""
    resume: Callable[..., list[Result]] = train
    for moment in moments:
        dying = Dying(folder, ["one"])
        dying.moments = (moment,)
        with pytest.raises(InterruptedError):
            resume(*arguments, checkpoint=dying)
        assert dying.warnings == []
    last = Checkpoint(folder, ["one"])
    results = resume(*arguments, checkpoint=last)
    assert last.path.exists() and last.warnings == []  # the training resumed from the checkpoint
    return results


# --- Sweeps and the command line.

SETTINGS = Settings("cpu", Path("nowhere"))
QUIET = Console(quiet=True)
GRID = Experiment(
    tasks=("lenet300-digits",),
    methods=("dense", "snip", "dwf[depth=2]"),
    values={"density": (0.5, 0.1), "strength": (2.0,)},
    seeds=(0,),
    epochs=2,
    synthetic=True,
)
SNIP_RUNS = [Run("lenet300-digits", "snip", value, 0, 2, 0.1, synthetic=True) for value in (0.5, 0.2, 0.1)]


def rows(folder: Path) -> list[dict[str, str]]:
    return read(folder / "runs.csv")


def sparsefront(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line in this process and return its exit status."""
    monkeypatch.setattr(sys, "argv", ["sparsefront", *arguments])
    with pytest.raises(SystemExit) as ended:
        commands.main()
    return int(ended.value.code or 0)


# --- Made-up runs: a CSV as `benchmark` writes it, small enough to compute figures and tables by hand.

PRUNABLE = 1000
FAMILIES = {"dwf": "factorization", "snip": "before training", "random": "before training", "rigl": "dynamic"}


def run(
    method: str, value: float, seed: int, nonzeros: int, val: float | None, test: float | None, **other: Any
) -> Row:
    """Return the row of one run; a run without accuracies has diverged."""
    row = Row(
        key=hash_fields(method=method, value=value, seed=seed),
        experiment="made-up",
        task="toy",
        method=method,
        label=method,
        family=FAMILIES.get(method.partition("[")[0], ""),
        depth=None,
        options="",
        knob="density",
        value=value,
        penalty=None,
        seed=seed,
        learning_rate=0.1,
        other_learning_rate=0.1,
        epochs=40,
        steps=100,
        batch_size=32,
        pack=1,
        prunable=PRUNABLE,
        nonzeros=nonzeros,
        density=nonzeros / PRUNABLE,
        compression=PRUNABLE / nonzeros if nonzeros else None,
        val_accuracy=val,
        test_accuracy=test,
        status=Status.DIVERGED if test is None else Status.OK,
    )
    return replace(row, **other)


def pair(
    method: str, value: float, nonzeros: int, val: tuple[float, float], test: tuple[float, float], **other: Any
) -> list[Row]:
    """Return the rows of one value with seeds 0 and 1."""
    return [run(method, value, seed, nonzeros, val[seed], test[seed], **other) for seed in (0, 1)]


# Dense has 91 on validation and 92 on test. The tests work out all that follows from these rows.
GOLDEN = [
    *pair("dense", 1, 1000, (90, 92), (91, 93)),
    *pair("snip", 0.5, 500, (90, 90), (89, 91), val_loss=0.3),
    *pair("snip", 0.2, 200, (85, 85), (99, 99)),  # the best on test; the next value beats it on validation
    *pair("snip", 0.1, 100, (89, 91), (88, 90), val_loss=0.4),
    *pair("snip", 0.05, 50, (80, 84), (95, 95)),
    run("snip", 0.01, 0, 10, None, None),
    run("snip", 0.01, 1, 10, 50, 52),
    run("dwf[depth=3]", 1, 0, 100, 90.5, 90),  # mean density 0.2: CR 5, not the mean of 10 and 3.3
    run("dwf[depth=3]", 1, 1, 300, 90.5, 92),
    *pair("dwf[depth=3]", 5, 0, (10, 10), (10, 10)),  # no weight is left
    run("random", 0.5, 0, 500, None, None),
]


DWF = "dwf[depth=3]"


def at_rate(
    method: str, rate: float, value: float, nonzeros: int, val: float | None, seed: int = 0, **other: Any
) -> Row:
    """Return a run of a search over learning rates; its test accuracy is a point below `val`."""
    knob = {"dense": "none", "snip": "density"}.get(method, "strength")
    test = None if val is None else val - 1
    named = {"experiment": "learning-rate", "knob": knob, "key": f"{method} {rate} {value} {seed}"}
    return run(method, value, seed, nonzeros, val, test, learning_rate=rate, **(named | other))


# Dense reaches 90, so only accuracies above 70 count. CR 10 and 100 are 1 and 2 in log10.
SEARCH = [
    at_rate("dense", 0.2, 1, 1000, 90),
    at_rate("dense", 0.1, 1, 1000, 88),
    at_rate("dense", 0.4, 1, 1000, None),
    at_rate(DWF, 0.4, 6, 0, 95),  # no weight is left
    at_rate(DWF, 0.4, 12, 100, 60),  # too inaccurate to count
    at_rate(DWF, 0.2, 6, 10, 77.5),  # 2 x 7.5 = 15
    at_rate(DWF, 0.2, 12, 10, None),
    at_rate(DWF, 0.1, 6, 100, 80),  # 1 x 10
    at_rate(DWF, 0.1, 12, 10, 75),  # and 1 x 5: 15 again
]


def write(folder: Path, rows: list[Row] = GOLDEN) -> Path:
    """Write rows to <folder>/runs.csv and return the folder."""
    append(folder / "runs.csv", COLUMNS, [astuple(row) for row in rows])
    return folder


def points(line: Line2D) -> numpy.ndarray:
    """Return the points [n, 2] of a drawn line."""
    return numpy.asarray(line.get_xydata())
