"""The entry point of `sparsefront`: its commands, `list` and `show` among them, and its errors."""

from __future__ import annotations

import importlib.metadata
import signal
import sys
from typing import Annotated, Literal

import typer

from benchmark.cli import options
from benchmark.cli.checking import check
from benchmark.cli.claims import check_claims
from benchmark.cli.export import export
from benchmark.cli.lists import details, lines
from benchmark.cli.merging import merge
from benchmark.cli.options import load_plugins
from benchmark.cli.output import console, errors, lasting_output
from benchmark.cli.reports import compare, docs, report
from benchmark.cli.running import plan, run, smoke, status
from benchmark.engines.signals import handling
from benchmark.errors import UsageError, error_text
from methods.core.plugins import place_in_plugin
from methods.core.registry import MethodError

OURS = ("benchmark", "methods", "plots", "sparsefront")

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
    load_plugins(plugin)
    for line in lines(what):
        console.print(line, soft_wrap=True)


@app.command()
def show(
    name: options.Anything,
    plugin: options.Plugins = None,
) -> None:
    """Show a method, a task or an experiment: its options and their values, its paper, recipe or grid."""
    load_plugins(plugin)
    for line in details(name):
        console.print(line, soft_wrap=True)


for _command in (plan, run, status, report, export, compare, merge, check, check_claims, docs, smoke):
    app.command()(_command)


def main() -> None:
    """Run the console script; bad input ends with one sentence and exit status 2."""
    interrupted: list[int] = []

    def interrupt(number: int, _: object) -> None:
        interrupted.append(number)
        raise KeyboardInterrupt

    # A process in the background ignores Ctrl-C, and goes on doing so.
    heard = (signal.SIGINT,) if signal.getsignal(signal.SIGINT) is signal.default_int_handler else ()
    with lasting_output(), handling(interrupt, *heard):
        try:
            status = app(None if sys.argv[1:] else ["--help"], prog_name="sparsefront", standalone_mode=False) or 0
        except (Exception, SystemExit) as error:
            if interrupted:  # a library that was interrupted while it was imported may raise anything
                sys.exit(130)
            message = _sentence(error)
            if message is None:
                raise
            errors.print(f"error: {message}")
            sys.exit(2)
        sys.exit(status)


def _sentence(error: BaseException) -> str | None:
    """Return what a user is told of an error; None for a fault of this program, which needs its traceback."""
    if isinstance(error, UsageError | MethodError):
        return str(error)
    if isinstance(error, OSError):  # a path that is too long, a loop of links, a file that nobody may read
        return f"{error.filename or 'a file'} cannot be read or written: {error.strerror or error}"
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return "no thread can be started; raise the limit on processes (ulimit -u), which counts threads, too"
    if isinstance(error, MemoryError):
        return "the memory of this machine, or its limit (ulimit -v), is not enough for this command"
    if isinstance(error, ImportError) and (error.name or OURS[0]).partition(".")[0] not in OURS:
        return f"a package cannot be loaded: {error_text(error)}"
    if hasattr(error, "format_message"):  # typer's own errors have it; their class is not public
        said = " ".join(error.format_message().split()).rstrip(".").replace("Value error, ", "")
        return f"{said}; --help names what there is"
    place = place_in_plugin(error)
    return f"{error_text(error)}{place}" if place else None
