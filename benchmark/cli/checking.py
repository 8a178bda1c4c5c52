"""The command `sparsefront check`: the contract tests on methods and tasks of a user's own file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.output import console
from benchmark.errors import UsageError
from benchmark.tasks.registry import TASKS
from methods.core.plugins import load_plugin
from methods.core.registry import METHODS


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
