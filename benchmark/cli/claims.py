"""The command `sparsefront check-claims`: a checklist for results, and the numbers of the pages computed again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.output import console
from benchmark.cli.stale import stale_in
from benchmark.errors import UsageError

VERDICTS = {True: "pass", False: "fail", None: "n/a"}


def check_claims(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders with runs.csv, judged together; without one, the pages of this checkout."),
    ] = None,
) -> None:
    """Evaluate the checklist of Blalock et al. on results, or compute the numbers of README.md and docs/ again.

    The exit status is 1 if an item fails or a page is out of date.
    """
    try:
        verdicts = _of_folders(folders) if folders else _of_pages()
    except ModuleNotFoundError as missing:
        raise UsageError(f"this check needs {missing.name}: pip install 'sparsefront[plots]'") from None
    for passed, text in verdicts:
        console.print(f"{VERDICTS[passed]}  {text}", soft_wrap=True)
    failed = sum(passed is False for passed, _ in verdicts)
    console.print(f"{failed} of {len(verdicts)} fail")
    if failed:
        raise typer.Exit(1)


def _of_folders(folders: list[Path]) -> list[tuple[bool | None, str]]:
    from plots.checklist import checklist

    stale = set().union(*map(stale_in, folders))
    return [
        (item.passed, f"{item.number:2d}. {item.requirement}\n          {item.reason}")
        for item in checklist(folders, stale)
    ]


def _of_pages() -> list[tuple[bool | None, str]]:
    from benchmark.cli.method_table import method_table
    from plots.doc_blocks import BLOCKS
    from plots.docs import BLOCK, pages, stale_blocks

    found: list[tuple[bool | None, str]] = []
    for page in pages(Path()):
        if count := len(BLOCK.findall(page.read_text(encoding="utf-8"))):
            stale = stale_blocks(page, BLOCKS | {"methods": method_table})
            again = f"{page}: {count} tables and numbers computed again"
            found.append((not stale, f"{again}, out of date: {', '.join(stale)}" if stale else again))
    return found
