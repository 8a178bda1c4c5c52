"""The command line: sparsefront list | plan | run | status | report."""

from __future__ import annotations

import math
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from benchmark.lazy import defer_torch, load_torch

defer_torch()

from benchmark import records  # noqa: E402
from benchmark.devices import cores  # noqa: E402
from benchmark.errors import UsageError  # noqa: E402
from benchmark.experiments import EXPERIMENTS, Experiment, Run  # noqa: E402
from benchmark.grid import override  # noqa: E402
from benchmark.tasks import TASKS, describe  # noqa: E402
from methods.registry import ALIASES, METHODS, MethodError, load_plugin, parse, signature  # noqa: E402

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Accuracy-compression fronts of sparse training.",
)
console = Console(width=None if sys.stdout.isatty() else 160, markup=False, highlight=False)
errors = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)

Name = Annotated[str, typer.Argument(help="An experiment, see `sparsefront list experiments`.")]
Tasks = Annotated[str | None, typer.Option(help="Tasks instead of the experiment's, separated by commas.")]
Methods = Annotated[str | None, typer.Option(help="Methods instead, as in 'dense,dwf[depth=4]'.")]
Values = Annotated[
    list[str] | None,
    typer.Option(
        help="Values of the knob instead, as in 0.1,0.01; with several knobs strength=5,10 and density=0.1; "
        "for one method snip=0.1."
    ),
]
Seeds = Annotated[str | None, typer.Option(help="Seeds instead, separated by commas.")]
Epochs = Annotated[int | None, typer.Option(help="Epochs instead of the experiment's or the recipe's.")]
Precision = Annotated[
    Literal["float32", "bf16", "auto"] | None,
    typer.Option(help="bf16: autocast, float32 weights; auto: bf16 where the device has it."),
]
Tier = Annotated[Literal["full", "smoke"], typer.Option(help="smoke: made data, two epochs, under NAME-smoke.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1 or mps.")]
Workers = Annotated[int | None, typer.Option(help="Packs at a time; by default one a core, or one an accelerator.")]
Engine = Annotated[Literal["local", "ray"], typer.Option(help="local: processes of this machine; ray: a cluster.")]
Address = Annotated[
    str | None, typer.Option(help="Of the Ray cluster, as in auto or HOST:6379; by default one is started here.")
]
Pack = Annotated[
    int | None,
    typer.Option(help="Runs trained together at most; by default 1 on a CPU, what fits into memory on CUDA."),
]
Timeout = Annotated[float, typer.Option(help="Seconds of training that a run may take.")]
Retry = Annotated[Literal["failed"] | None, typer.Option(help="failed: run again what has failed.")]
Results = Annotated[Path, typer.Option(help="Folder that holds a folder for each experiment.")]
DataFolder = Annotated[
    Path, typer.Option("--data", envvar="SPARSEFRONT_DATA", help="Folder of data sets, as torchvision lays them out.")
]
Plugins = Annotated[list[Path] | None, typer.Option("--plugin", help="Python file with methods and tasks of your own.")]


@app.command("list")
def list_(
    what: Annotated[Literal["tasks", "methods", "experiments"], typer.Argument()], plugin: Plugins = None
) -> None:
    """List tasks, methods or experiments."""
    _load_plugins(plugin)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(overflow="fold")
    if what == "methods":
        for _, cls in sorted(METHODS.items()):
            table.add_row(signature(cls), cls.knob, describe(cls))
        for name, written in sorted(ALIASES.items()):
            table.add_row(name, parse(written).knob, f"Another name of {written}.")
    else:
        for name, function in sorted((TASKS if what == "tasks" else EXPERIMENTS).items()):
            table.add_row(name, describe(function))
    console.print(table)


@app.command()
def plan(
    experiment: Name,
    tasks: Tasks = None,
    methods: Methods = None,
    values: Values = None,
    seeds: Seeds = None,
    epochs: Epochs = None,
    precision: Precision = None,
    tier: Tier = "full",
    device: Device = "cpu",
    workers: Workers = None,
    results: Results = Path("results"),
    plugin: Plugins = None,
) -> None:
    """Print how many runs an experiment has, how many are finished, and how long the rest may take to train.

    Of a method without finished runs here an epoch on made data is timed.
    """
    _load_plugins(plugin)
    name, grid = override(experiment, tasks, methods, values, seeds, epochs, precision, tier)
    runs, workers = _on(device, grid), _workers(workers, device)
    from benchmark.plan import estimate
    from benchmark.sweep import to_do

    remaining = to_do(runs, results / name)
    console.print(f"{name}: {len(runs)} runs, {len(runs) - len(remaining)} finished before, {len(remaining)} to do")
    if remaining:
        assert workers is not None
        at_once = min(workers, len(remaining))
        seconds = estimate(remaining, results / name, device) / at_once
        console.print(f"about {timedelta(seconds=round(seconds))} with {at_once} at a time on {device}")


@app.command()
def run(
    experiment: Name,
    tasks: Tasks = None,
    methods: Methods = None,
    values: Values = None,
    seeds: Seeds = None,
    epochs: Epochs = None,
    precision: Precision = None,
    tier: Tier = "full",
    device: Device = "cpu",
    workers: Workers = None,
    engine: Engine = "local",
    address: Address = None,
    pack: Pack = None,
    timeout: Timeout = math.inf,
    retry: Retry = None,
    results: Results = Path("results"),
    data: DataFolder = Path("data"),
    plugin: Plugins = None,
) -> None:
    """Compute the runs of an experiment that are not finished yet; rows go to RESULTS/EXPERIMENT/runs.csv."""
    _load_plugins(plugin)
    name, grid = override(experiment, tasks, methods, values, seeds, epochs, precision, tier)
    if pack is not None and pack < 1:
        raise UsageError(f"--pack takes a whole number >= 1, not {pack}")
    if not timeout > 0:
        raise UsageError(f"--timeout takes a number of seconds above 0, not {timeout:g}")
    runs, workers = _on(device, grid, engine), _workers(workers, device, engine)
    from benchmark.engines import Settings
    from benchmark.sweep import sweep

    settings = Settings(device, data, tuple(plugin or ()), timeout=timeout, pack=pack, engine=engine, address=address)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C, so that no worker is left behind
    try:
        statuses = sweep(name, runs, results / name, settings, workers, console, retry is not None)
    except KeyboardInterrupt:
        errors.print("interrupted: what is trained so far is kept, and the same command goes on from there")
        raise typer.Exit(130) from None
    if grid.beside:
        grid.beside(results / name)
    if statuses:
        console.print(f"{name}: " + ", ".join(f"{count} {status}" for status, count in statuses.items()))
    console.print(f"rows are in {results / name / 'runs.csv'}", soft_wrap=True)
    if set(statuses) - {"ok", "diverged"}:
        raise typer.Exit(1)


@app.command()
def status(experiment: Name, results: Results = Path("results")) -> None:
    """Tell from another terminal how far a sweep is: runs, time left, and the best of each method so far."""
    from benchmark.status import overview

    for part in overview(results / experiment):
        console.print(part)


@app.command()
def report(
    experiment: Annotated[str | None, typer.Argument(help="By default every folder with results.")] = None,
    results: Results = Path("results"),
    cut: Annotated[
        float | None, typer.Option(help="Count weights of penalty runs below this magnitude as zero.")
    ] = None,
) -> None:
    """Draw fronts and write the leaderboard from the CSVs of an experiment, or of all."""
    try:
        from plots.report import report as report_folder
    except ModuleNotFoundError as missing:
        raise UsageError(f"reports need {missing.name}: pip install pandas matplotlib moocore tabulate") from None
    from benchmark.stale import stale_keys

    folders = [results / experiment] if experiment else sorted(path.parent for path in results.glob("*/runs.csv"))
    if not folders:
        raise UsageError(f"there are no results in {results}; `sparsefront run` makes some")
    for folder in folders:
        for path in report_folder(folder, cut, stale_keys(records.read(folder / "runs.csv"))):
            console.print(f"wrote {path}", soft_wrap=True)


def _load_plugins(paths: list[Path] | None) -> None:
    if paths:
        load_torch()
    for path in paths or ():
        load_plugin(path)


def _on(device: str, grid: Experiment, engine: str = "local") -> list[Run]:
    """The runs of a grid, whose faults are told before torch is loaded, on a device that is there.

    What devices a cluster has is not known here.
    """
    runs = grid.runs()
    load_torch()
    from benchmark.devices import best_precision, check_device

    if engine == "ray" and device not in ("cpu", "cuda"):
        raise UsageError(f"with --engine ray, which deals GPUs out, --device is cpu or cuda, not {device}")
    if engine == "local" or grid.precision == "auto":  # which asks the device itself
        check_device(device)
    return replace(grid, precision=best_precision(device)).runs() if grid.precision == "auto" else runs


def _workers(workers: int | None, device: str, engine: str = "local") -> int | None:
    """How many packs are computed at a time; None: as many as a cluster has room for."""
    if workers is not None and workers < 1:
        raise UsageError(f"--workers takes a whole number >= 1, not {workers}")
    if workers is None and engine == "local":
        from benchmark.devices import accelerators

        return cores() if device == "cpu" else accelerators(device)
    return workers


def main() -> None:
    """The console script: bad input ends with one sentence and status 2."""
    try:
        app()
    except (UsageError, MethodError) as error:
        errors.print(f"error: {error}")
        sys.exit(2)
