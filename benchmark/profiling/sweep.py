"""Benchmark of a sweep without its training: planning, resuming and reporting many rows, and feeding workers."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark.engines.dispatch import places, run_all
from benchmark.engines.settings import Settings
from benchmark.experiments.experiment import Experiment
from benchmark.experiments.run import Run
from benchmark.profiling.timing import show
from benchmark.records.schema import COLUMNS, Measurement
from benchmark.records.table import append
from benchmark.sweep.folder import ResultsFolder
from benchmark.sweep.rows import make_row
from benchmark.training.measure import Result

SLEEPER = '''
import time
from dataclasses import dataclass
from methods import Method, register

@register("sleeper", knob="penalty")
@dataclass
class Sleeper(Method):
    """Sleep for as many seconds as the value says."""
    def setup(self, net, probe):
        super().setup(net, probe)
        time.sleep(float(self.value[0]))
'''


def grid(rows: int) -> Experiment:
    """Return a grid of `rows` runs: five methods, ten values, and as many seeds as that takes."""
    return Experiment(
        tasks=("lenet300-digits",),
        methods=("snip", "random", "magnitude", "dwf[depth=2]", "dwf[depth=3]"),
        values={"density": tuple(0.5**k for k in range(10)), "strength": tuple(5.0 + k for k in range(10))},
        seeds=tuple(range(rows // 50)),
    )


def write_rows(runs: list[Run], folder: Path) -> None:
    """Write a row for every run, as a sweep would."""
    folder.mkdir()
    cells = []
    for run in runs:
        nonzeros = max(1, round(50_200 * min(run.value, 1 / run.value)))
        measured = Measurement(
            steps=100,
            prunable=50_200,
            nonzeros=nonzeros,
            density=nonzeros / 50_200,
            compression=50_200 / nonzeros,
            val_accuracy=90 + run.seed % 7,
            val_loss=0.1,
            test_accuracy=90 + run.seed % 5,
            test_loss=0.1,
            train_seconds=1.0,
        )
        row = make_row("scale", run, Result(measured), "cpu", "", "")
        cells.append([getattr(row, column) for column in COLUMNS])
    append(folder / "runs.csv", COLUMNS, cells)


def bench_rows(count: int, folder: Path) -> None:
    """Print the seconds that an experiment of many rows takes to plan, resume, describe and report."""
    runs = grid(count).runs()
    write_rows(runs, folder / "scale")

    def command(*arguments: str) -> None:
        command = [sys.executable, "-m", "benchmark", *arguments, "scale", "--results", str(folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    actions: dict[str, Callable[[], object]] = {
        "plan": lambda: [run.key for run in grid(count).runs()],
        "resume": lambda: ResultsFolder(folder / "scale").to_do(runs),
        "status": lambda: command("status"),
        "report": lambda: command("report"),
    }
    rows = []
    for name, action in actions.items():
        begun = time.perf_counter()
        action()
        rows.append([name, f"{time.perf_counter() - begun:.1f}"])
    show(f"{count:,} rows", ["command", "seconds"], rows)


def pace(runs: list[Run], settings: Settings, workers: int) -> float:
    """Return the mean seconds between two finished runs, without each worker's first run, which includes its start."""
    ends = [time.perf_counter() for _ in run_all(runs, settings, places(settings, workers))]
    return (ends[-1] - ends[workers - 1]) / (len(ends) - workers)


def bench_feeding(length: float, folder: Path) -> None:
    """Print the seconds that each engine adds to a run that sleeps, and how much faster two workers train than one."""
    (folder / "sleeper.py").write_text(SLEEPER)
    local = Settings("cpu", folder, (folder / "sleeper.py",))
    asleep = [Run("lenet300-digits", "sleeper", length, seed, 1, 0.1, synthetic=True) for seed in range(6)]
    awake = [replace(run, value=0.0) for run in asleep]
    itself = pace(awake, local, 1)
    rows = []
    for engine in ("local", "ray") if importlib.util.find_spec("ray") else ("local",):
        added = 2 * pace(asleep, replace(local, engine=engine), 2) - itself - length
        rows.append([engine, f"{added:.3f}", f"{100 * added / (length + itself):.1f} %"])
    title = f"runs of {length + itself:.1f} s, two at a time; aims 2 % local, 5 % Ray"
    show(title, ["engine", "seconds added to a run", "share"], rows)
    training = [replace(run, method="dense", value=1.0, epochs=40) for run in asleep]
    one, two = (pace(training, local, workers) for workers in (1, 2))
    show("training by processes of one thread; aim 1.8", ["two workers, times one"], [[f"{one / two:.2f}"]])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        bench_rows(arguments.rows, Path(folder))
        bench_feeding(arguments.seconds, Path(folder))
