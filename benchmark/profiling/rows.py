"""Benchmark of a results folder of many finished runs: planning, resuming, describing and reporting it."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy

from benchmark.engines.packs import make_packs
from benchmark.engines.settings import Settings
from benchmark.experiments.experiment import Experiment
from benchmark.experiments.run import Run
from benchmark.profiling.timing import show
from benchmark.records.bits import encode
from benchmark.records.schema import THRESHOLDS, Measurement
from benchmark.sweep.folder import ResultsFolder
from benchmark.sweep.rows import make_row
from benchmark.training.measure import Result
from benchmark.training.uncut import ThresholdPoint
from methods.core.registry import parse

PLUGIN = '''
from benchmark.experiments.experiment import Experiment
from benchmark.experiments.registry import experiment


@experiment
def scale():
    """Many runs of small networks, for a benchmark."""
    return {grid!r}
'''
# A process of its own, since a process that is started counts its parent's memory as its own.
MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
sys.exit(status != 0)
"""
LAYERS = {"fc1.weight": 19_200, "fc2.weight": 30_000, "fc3.weight": 1_000}
METRICS = ("train_loss", "rate_share", "val_loss", "val_accuracy", "density", *LAYERS)
EXAMPLES = 360  # examples in the test set
PART = 500  # runs that are written at a time


def grid(rows: int) -> Experiment:
    """Return a grid of `rows` runs: dense, four methods of six values, and as many seeds as that takes."""
    return Experiment(
        tasks=("lenet300-digits",),
        methods=("dense", "gmp", "snip", "dwf[depth=2]", "dwf[depth=3]"),
        values={"density": tuple(0.3**k for k in range(1, 7)), "strength": tuple(5.0 * 2**k for k in range(6))},
        seeds=tuple(range(rows // 25)),
    )


def made_up(run: Run, epochs: int) -> Result:
    """Return a result with all that a run leaves in the tables, with numbers of its own."""
    draw = Random(f"{run.method} {run.value} {run.seed}").random
    prunable = sum(LAYERS.values())
    nonzeros = max(1, round(prunable * min(run.value, 1 / run.value) * (0.95 + 0.1 * draw())))
    nonzeros = prunable if run.method == "dense" else nonzeros
    solved = round(EXAMPLES * (0.97 - 0.01 * math.log10(prunable / nonzeros) - 0.02 * draw()))
    penalized = parse(run.method).knob == "strength"
    density, accuracy = nonzeros / prunable, 100 * solved / EXAMPLES
    measured = Measurement(
        steps=100,
        batch_size=64,
        penalty=run.value / 1e4 if penalized else None,
        prunable=prunable,
        nonzeros=nonzeros,
        density=density,
        compression=1 / density,
        effective_nonzeros=nonzeros - 1,
        effective_density=(nonzeros - 1) / prunable,
        effective_compression=prunable / max(nonzeros - 1, 1),
        parameters=prunable + 410,
        total_compression=(prunable + 410) / (nonzeros + 410),
        macs_dense=prunable,
        macs_sparse=nonzeros,
        theoretical_speedup=prunable / nonzeros,
        train_loss=draw(),
        val_accuracy=accuracy,
        val_loss=draw(),
        test_accuracy=accuracy,
        test_loss=draw(),
        train_seconds=draw(),
        step_ms=draw(),
    )
    curves = [(epoch, metric, accuracy * draw()) for epoch in range(epochs) for metric in METRICS]
    layers = [(name, max(1, round(density * total * draw())), total) for name, total in LAYERS.items()]
    points: list[ThresholdPoint] = [
        (threshold, nonzeros, density, accuracy, accuracy, 0.1, None, None)
        for threshold in (THRESHOLDS if penalized else ())
    ]
    right = (numpy.arange(EXAMPLES) * 7 + run.seed) % EXAMPLES < solved
    return Result(measured, curves, layers, points, (EXAMPLES, encode(right)))


def write_rows(runs: list[Run], folder: Path, epochs: int = 20) -> None:
    """Write the rows of every run to all tables, as a sweep would."""
    results = ResultsFolder(folder)
    with results.writing():
        for start in range(0, len(runs), PART):
            part = runs[start : start + PART]
            made = [made_up(run, epochs) for run in part]
            rows = [make_row("scale", run, result, "cpu", "", "") for run, result in zip(part, made, strict=True)]
            results.append(rows, made)


def command(*arguments: str) -> list[float]:
    """Run a command of sparsefront; return its seconds, its seconds of computing, and its largest memory in GB."""
    begun = time.perf_counter()
    words = [sys.executable, "-c", MEASURE, sys.executable, "-m", "benchmark", *arguments]
    printed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    computing, memory = map(float, printed.split())
    return [time.perf_counter() - begun, computing, memory * (1 if sys.platform == "darwin" else 1024) / 1e9]


def bench_rows(count: int, folder: Path, epochs: int = 20) -> None:
    """Print the seconds and the memory that commands take on an experiment of many rows, with all their tables."""
    plugin = folder / "scale.py"
    plugin.write_text(PLUGIN.format(grid=grid(count)))
    results = "--results", str(folder)
    grid_of = "scale", *results, "--plugin", str(plugin)
    runs = grid(count).runs()
    rows = [
        ["group all into packs", *own(lambda: make_packs(runs, Settings("cpu", folder)))],
        ["write their rows", *own(lambda: write_rows(runs, folder / "scale", epochs))],
    ]
    size = sum(path.stat().st_size for path in (folder / "scale").glob("*.csv*")) / 1e9
    actions = {
        "plan": ("plan", *grid_of),
        "run, nothing to do": ("run", *grid_of),
        "status": ("status", "scale", *results),
        "report": ("report", "scale", *results),
        "report --html": ("report", "scale", "--html", *results),
    }
    rows += [[name, *(f"{number:.2f}" for number in command(*words))] for name, words in actions.items()]
    title = f"{len(runs):,} runs of {epochs} epochs, {size:.2f} GB of tables"
    title += f"; the page has {(folder / 'scale' / 'report.html').stat().st_size / 1e6:.1f} MB"
    show(title, ["action", "seconds", "seconds of computing", "GB of memory"], rows)


def own(action: Callable[[], object]) -> list[str]:
    """Return the seconds and the seconds of computing that a call in this process takes."""
    begun, computing = time.perf_counter(), time.process_time()
    action()
    return [f"{time.perf_counter() - begun:.2f}", f"{time.process_time() - computing:.2f}", "-"]
