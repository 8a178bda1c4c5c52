"""The command `sparsefront merge`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.options import path
from benchmark.cli.output import console
from benchmark.errors import UsageError


def merge(
    folders: Annotated[list[Path], typer.Argument(help="Folders with runs.csv, such as results/families.")],
    output: Annotated[Path, typer.Option(parser=path, help="The new folder; it must be empty or not exist.")],
) -> None:
    """Join folders of results into a new one: a run that several hold counts once, and disagreements are listed."""
    if len({folder.resolve() for folder in folders}) < 2:
        raise UsageError("merge takes two or more folders, such as results/families ../colleague/results/families")
    from benchmark.sweep.merge import merge as write

    merged = write(folders, output)
    for folder, runs in merged.runs.items():
        console.print(f"{runs} runs from {folder}", soft_wrap=True)
    for conflict in merged.conflicts:
        console.print(f"differs: {conflict}", soft_wrap=True)
    console.print(f"wrote {output}: {sum(merged.runs.values())} runs, {len(merged.conflicts)} differ", soft_wrap=True)
