"""The entry point of `sparsefront`: its commands, `list` and `show` among them, and its errors."""

from __future__ import annotations

import importlib.metadata
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
from benchmark.errors import UsageError, error_text
from methods.core.plugins import place_in_plugin
from methods.core.registry import MethodError

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
    with lasting_output():
        try:
            status = app(None if sys.argv[1:] else ["--help"], prog_name="sparsefront", standalone_mode=False) or 0
        except (UsageError, MethodError) as error:
            errors.print(f"error: {error}")
            sys.exit(2)
        except OSError as error:  # a path that is too long, a loop of links, a file that nobody may read
            errors.print(f"error: {error.filename or 'a file'} cannot be read or written: {error.strerror or error}")
            sys.exit(2)
        except (Exception, SystemExit) as error:
            if hasattr(error, "format_message"):  # typer's own errors have it; their class is not public
                message = " ".join(error.format_message().split()).rstrip(".")
                errors.print(f"error: {message}; --help names what there is")
            elif place := place_in_plugin(error):
                errors.print(f"error: {error_text(error)}{place}")
            else:
                raise
            sys.exit(2)
        sys.exit(status)
