"""The commands that plan and compute runs: `sparsefront plan`, `run`, `status` and `smoke`."""

from __future__ import annotations

import math
import shlex
import signal
from contextlib import redirect_stdout
from datetime import timedelta
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from benchmark.cli import options
from benchmark.cli.lists import folder_of
from benchmark.cli.machine import runs_on, workers_on
from benchmark.cli.options import load_plugins
from benchmark.cli.output import console, errors
from benchmark.cli.overrides import override
from benchmark.cli.reports import report
from benchmark.errors import UsageError
from benchmark.experiments.registry import EXPERIMENTS


def plan(
    experiment: options.Name,
    tasks: options.Tasks = None,
    methods: options.Methods = None,
    values: options.Values = None,
    seeds: options.Seeds = None,
    epochs: options.Epochs = None,
    lr: options.LearningRate = None,
    batch_size: options.BatchSize = None,
    weight_decay: options.WeightDecay = None,
    precision: options.Precision = None,
    tier: options.Tier = "full",
    device: options.Device = "cpu",
    workers: options.Workers = None,
    results: options.Results = Path("results"),
    plugin: options.Plugins = None,
) -> None:
    """Print how many runs an experiment has, how many are finished, and how long the others may take.

    A method without finished runs in the folder is timed for a few steps on synthetic data, for 20 s in all.
    """
    load_plugins(plugin)
    recipe = (lr, batch_size, weight_decay)
    name, grid = override(experiment, tasks, methods, values, seeds, epochs, precision, tier, *recipe)
    _say_at_once(name, results)
    runs, workers = runs_on(device, grid), workers_on(workers, device)
    from benchmark.sweep.folder import ResultsFolder

    folder = ResultsFolder(results / name)
    remaining = folder.to_do(runs)
    console.print(f"{name}: {len(runs)} runs, {len(runs) - len(remaining)} finished before, {len(remaining)} to do")
    if remaining:
        console.print("estimating the time; a method without finished runs trains a few steps on synthetic data")
        from benchmark.sweep.estimate import LONGEST, expected_seconds

        assert workers is not None
        at_once = min(workers, len(remaining))
        seconds, untimed = expected_seconds(remaining, folder.rows, device, at_once)
        if seconds is None:
            console.print(f"no method has trained its few steps within {LONGEST:g} s, so there is no estimate")
            return
        console.print(f"about {timedelta(seconds=round(seconds))} with {at_once} at a time on {device}")
        if untimed:
            console.print(
                f"timing stopped after {LONGEST:g} s; {untimed} methods were not timed and count as the others"
            )


def run(
    experiment: options.Name,
    tasks: options.Tasks = None,
    methods: options.Methods = None,
    values: options.Values = None,
    seeds: options.Seeds = None,
    epochs: options.Epochs = None,
    lr: options.LearningRate = None,
    batch_size: options.BatchSize = None,
    weight_decay: options.WeightDecay = None,
    precision: options.Precision = None,
    tier: options.Tier = "full",
    device: options.Device = "cpu",
    workers: options.Workers = None,
    engine: options.Engine = "local",
    address: options.Address = None,
    pack: options.Pack = None,
    timeout: options.Timeout = math.inf,
    retry: options.Retry = None,
    keep_networks: options.KeepNetworks = False,
    results: options.Results = Path("results"),
    data: options.DataFolder = Path("data"),
    plugin: options.Plugins = None,
) -> None:
    """Compute the runs of an experiment that are not finished yet; rows go to RESULTS/EXPERIMENT/runs.csv."""
    load_plugins(plugin)
    recipe = (lr, batch_size, weight_decay)
    name, grid = override(experiment, tasks, methods, values, seeds, epochs, precision, tier, *recipe)
    if pack is not None and pack < 1:
        raise UsageError(f"--pack takes a whole number >= 1, not {pack}")
    if not timeout > 0:
        raise UsageError(f"--timeout takes a number of seconds above 0, not {timeout:g}")
    if keep_networks and not find_spec("safetensors"):
        raise UsageError("--keep-networks writes files of safetensors: pip install safetensors")
    _say_at_once(name, results)
    runs, workers = runs_on(device, grid, engine), workers_on(workers, device, engine)
    from benchmark.engines.settings import Settings
    from benchmark.engines.signals import handling, hangup
    from benchmark.sweep.folder import ResultsFolder
    from benchmark.sweep.invocation import was_killed
    from benchmark.sweep.progress import counted
    from benchmark.sweep.sweep import sweep

    settings = Settings(
        device,
        data,
        tuple(plugin or ()),
        timeout=timeout,
        apart=was_killed(results / name),
        engine=engine,
        address=address,
        keep_networks=keep_networks,
        pack=pack,
    )
    folder = ResultsFolder(results / name)
    try:
        # Like Ctrl-C, so that no worker is left behind and what is trained is saved.
        with handling(signal.default_int_handler, signal.SIGTERM, *hangup()):
            statuses = sweep(
                name,
                runs,
                folder,
                settings,
                workers,
                console,
                retry is not None,
                grid.extra_outputs,
                bool(grid.budgets),
            )
    except KeyboardInterrupt:
        errors.print("interrupted: what is trained so far is kept, and the same command goes on from there")
        raise typer.Exit(130) from None
    if statuses:
        console.print(f"{name}: {counted(statuses)}")
    console.print(f"rows are in {results / name / 'runs.csv'}", soft_wrap=True)
    where = "" if results == Path("results") else f" --results {shlex.quote(str(results))}"
    console.print(f"next: sparsefront report {shlex.quote(name)}{where}", soft_wrap=True)
    if folder.failed_runs(runs):
        raise typer.Exit(1)


def status(
    experiment: Annotated[
        str | None, typer.Argument(help="By default one line for each sweep.", autocompletion=options.sweeps)
    ] = None,
    results: options.Results = Path("results"),
) -> None:
    """Print the progress of a sweep, from another terminal: runs, time left, and the best of each method so far."""
    from benchmark.sweep.status import overview, summaries

    parts = overview(folder_of(results, experiment)) if experiment else summaries(results)
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str))


def smoke() -> None:
    """Run every experiment on synthetic data and report it, in a temporary folder; stop at the first that fails."""
    with TemporaryDirectory() as folder:
        for name in sorted(EXPERIMENTS):
            console.print(f"smoke {name}")
            try:
                with redirect_stdout(StringIO()) as output:
                    run(name, tier="smoke", results=Path(folder))
                    report(f"{name}-smoke", Path(folder))
            except BaseException:
                console.print(output.getvalue(), soft_wrap=True)
                raise


def _say_at_once(name: str, results: Path) -> None:
    """Print a first line, since torch takes seconds to load."""
    console.print(f"{name}: looking for finished runs in {results / name}", soft_wrap=True)
