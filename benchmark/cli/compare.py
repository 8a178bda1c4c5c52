"""The command `sparsefront compare`: several folders of results in one report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmark.errors import UsageError


def compare(
    folders: Annotated[list[Path], typer.Argument(help="Folders with runs.csv, such as results/families.")],
    output: Annotated[Path, typer.Option(help="Folder for the figures and the table.")] = Path("comparison"),
    threshold: Annotated[
        float | None, typer.Option(help="Count weights of penalty runs below this magnitude as zero.")
    ] = None,
) -> None:
    """Draw the figures and write the leaderboard of several folders together; the folders stay as they are."""
    try:
        from plots.comparison_report import compare as write
    except ModuleNotFoundError as missing:
        raise UsageError(f"reports need {missing.name}: pip install 'sparsefront[plots]'") from None
    for path in write(folders, output, threshold):
        Console(markup=False, highlight=False).print(f"wrote {path}", soft_wrap=True)
