"""The commands of `sparsefront`, and its entry point; reports.py has those that draw."""

from __future__ import annotations

import importlib.metadata
import math
import shlex
import signal
import sys
from contextlib import redirect_stdout
from datetime import timedelta
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import typer

from benchmark.cli import options
from benchmark.cli.claims import check_claims
from benchmark.cli.lists import details, folder_of, lines
from benchmark.cli.machine import runs_on, workers_on
from benchmark.cli.merging import merge
from benchmark.cli.output import console, errors, lasting_output
from benchmark.cli.overrides import override
from benchmark.cli.reports import compare, docs, report
from benchmark.errors import UsageError, printable
from benchmark.experiments.registry import EXPERIMENTS
from benchmark.records.schema import Status
from benchmark.tasks.registry import TASKS
from methods.core.registry import METHODS, MethodError, load_plugin

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Accuracy-compression fronts of sparse training.",
)


def _print_version(asked: bool) -> None:
    if asked:
        try:
            console.print(f"sparsefront {importlib.metadata.version('sparsefront')}")
        except importlib.metadata.PackageNotFoundError:
            console.print("sparsefront, not installed")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Accuracy-compression fronts of sparse training."""


@app.command("list")
def list_(
    what: Annotated[Literal["tasks", "methods", "experiments"], typer.Argument()], plugin: options.Plugins = None
) -> None:
    """List tasks, methods or experiments, one on each line."""
    _load_plugins(plugin)
    for line in lines(what):
        console.print(line, soft_wrap=True)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A method, task or experiment, also with options in brackets.")],
    plugin: options.Plugins = None,
) -> None:
    """Show a method, a task or an experiment: its options and their values, its paper, recipe or grid."""
    _load_plugins(plugin)
    for line in details(name):
        console.print(line, soft_wrap=True)


@app.command()
def plan(
    experiment: options.Name,
    tasks: options.Tasks = None,
    methods: options.Methods = None,
    values: options.Values = None,
    seeds: options.Seeds = None,
    epochs: options.Epochs = None,
    precision: options.Precision = None,
    tier: options.Tier = "full",
    device: options.Device = "cpu",
    workers: options.Workers = None,
    results: options.Results = Path("results"),
    plugin: options.Plugins = None,
) -> None:
    """Print how many runs an experiment has, how many are finished, and how long the others may take.

    A method without finished runs in the folder is timed for a few steps on synthetic data.
    """
    _load_plugins(plugin)
    name, grid = override(experiment, tasks, methods, values, seeds, epochs, precision, tier)
    console.print(
        f"{name}: looking for finished runs in {results / name}", soft_wrap=True
    )  # torch takes seconds to load
    runs, workers = runs_on(device, grid), workers_on(workers, device)
    from benchmark.sweep.folder import ResultsFolder

    folder = ResultsFolder(results / name)
    remaining = folder.to_do(runs)
    console.print(f"{name}: {len(runs)} runs, {len(runs) - len(remaining)} finished before, {len(remaining)} to do")
    if remaining:
        from benchmark.sweep.estimate import expected_seconds

        assert workers is not None
        at_once = min(workers, len(remaining))
        seconds = expected_seconds(remaining, folder.rows, device, at_once)
        console.print(f"about {timedelta(seconds=round(seconds))} with {at_once} at a time on {device}")


@app.command()
def run(
    experiment: options.Name,
    tasks: options.Tasks = None,
    methods: options.Methods = None,
    values: options.Values = None,
    seeds: options.Seeds = None,
    epochs: options.Epochs = None,
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
    _load_plugins(plugin)
    name, grid = override(experiment, tasks, methods, values, seeds, epochs, precision, tier)
    if pack is not None and pack < 1:
        raise UsageError(f"--pack takes a whole number >= 1, not {pack}")
    if not timeout > 0:
        raise UsageError(f"--timeout takes a number of seconds above 0, not {timeout:g}")
    if keep_networks and not find_spec("safetensors"):
        raise UsageError("--keep-networks writes files of safetensors: pip install safetensors")
    console.print(
        f"{name}: looking for finished runs in {results / name}", soft_wrap=True
    )  # torch takes seconds to load
    runs, workers = runs_on(device, grid, engine), workers_on(workers, device, engine)
    from benchmark.engines.settings import Settings
    from benchmark.engines.signals import handling, hangup
    from benchmark.sweep.sweep import sweep

    settings = Settings(
        device,
        data,
        tuple(plugin or ()),
        timeout=timeout,
        engine=engine,
        address=address,
        keep_networks=keep_networks,
        pack=pack,
    )
    try:
        # Like Ctrl-C, so that no worker is left behind and what is trained is saved.
        with handling(signal.default_int_handler, signal.SIGTERM, *hangup()):
            statuses = sweep(
                name,
                runs,
                results / name,
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
        console.print(f"{name}: " + ", ".join(f"{count} {status}" for status, count in statuses.items()))
    console.print(f"rows are in {results / name / 'runs.csv'}", soft_wrap=True)
    where = "" if results == Path("results") else f" --results {shlex.quote(str(results))}"
    console.print(f"next: sparsefront report {name}{where}", soft_wrap=True)
    if any(Status(status).failed for status in statuses):
        raise typer.Exit(1)


@app.command()
def status(
    experiment: Annotated[str | None, typer.Argument(help="By default one line for each sweep.")] = None,
    results: options.Results = Path("results"),
) -> None:
    """Print the progress of a sweep, from another terminal: runs, time left, and the best of each method so far."""
    from benchmark.sweep.status import overview, summaries

    parts = overview(folder_of(results, experiment)) if experiment else summaries(results)
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str))


@app.command()
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


for _command in (report, compare, merge, docs, check_claims):
    app.command()(_command)


@app.command()
def check(
    plugin: Annotated[Path, typer.Argument(help="Python file with methods and tasks of your own.", show_default=False)],
) -> None:
    """Check the methods and tasks of your own file against their contract: one line for each promise."""
    methods, tasks = set(METHODS), set(TASKS)
    load_plugin(plugin)
    own = sorted(set(METHODS) - methods), sorted(set(TASKS) - tasks)
    if not any(own):
        raise UsageError(f"{plugin} registers no method and no task, so there is nothing to check")
    from benchmark.contract.check import check as check_all
    from benchmark.training.devices import numerics

    failed = 0
    with numerics():
        for finding in check_all(*own):
            console.print(str(finding), soft_wrap=True)
            failed += bool(finding.reason)
    if failed:
        console.print(f"{failed} promises do not hold")
        raise typer.Exit(1)


def _say_at_once(name: str, results: Path) -> None:
    """Print a first line, since torch takes seconds to load."""
    console.print(f"{name}: looking for finished runs in {results / name}", soft_wrap=True)


def _load_plugins(paths: list[Path] | None) -> None:
    for path in paths or ():
        load_plugin(path)


def main() -> None:
    """Run the console script; bad input ends with one sentence and exit status 2."""
    with lasting_output():
        try:
            sys.exit(app(None if sys.argv[1:] else ["--help"], standalone_mode=False) or 0)
        except (UsageError, MethodError) as error:
            errors.print(f"error: {error}")
            sys.exit(2)
        except OSError as error:  # a path that is too long, a loop of links, a file that nobody may read
            errors.print(f"error: {error.filename or 'a file'} cannot be read or written: {error.strerror or error}")
            sys.exit(2)
        except Exception as error:
            if not hasattr(error, "format_message"):  # typer's own errors have it; their class is not public
                raise
            errors.print(
                f"error: {printable(' '.join(error.format_message().split()).rstrip('.'))}; --help names what there is"
            )
            sys.exit(2)
