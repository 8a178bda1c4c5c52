"""The commands that draw: `sparsefront report`, `compare` and `docs`. Few other modules import plots."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from benchmark.cli import options
from benchmark.cli.lists import folder_of
from benchmark.cli.output import console
from benchmark.cli.page import write_pages
from benchmark.cli.stale import stale_in
from benchmark.errors import UsageError
from methods.core.spec import split_list

Threshold = Annotated[
    str | None,
    typer.Option(
        "--threshold",
        "--cut",
        metavar="NUMBER|validated",
        help="Count weights of penalty runs below this magnitude as zero; validated: below the largest one that "
        "costs no accuracy on validation data, for each run.",
    ),
]


def report(
    experiment: Annotated[
        str | None, typer.Argument(help="By default every folder with results.", autocompletion=options.sweeps)
    ] = None,
    results: options.Results = Path("results"),
    threshold: Threshold = None,
    effective: Annotated[
        bool, typer.Option("--effective", help="Count only weights on a path from an input to an output.")
    ] = False,
    html: Annotated[
        bool,
        typer.Option(
            "--html", help="Write report.html instead, an interactive page that holds all thresholds and counts."
        ),
    ] = False,
    style: Annotated[
        Literal["page", "paper"],
        typer.Option(
            "--style", help="paper: draw the figures alone, for half a column, to figures/paper as PDF and SVG."
        ),
    ] = "page",
    methods: Annotated[
        str | None, typer.Option(help="Show these methods alone, and dense; files are named selected.")
    ] = None,
    tasks: Annotated[str | None, typer.Option(help="Show these tasks alone; files are named selected.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the leaderboard as CSV, and write no file.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the leaderboard as JSON, and write no file.")] = False,
    plugin: options.Plugins = None,
) -> None:
    """Draw the figures and write the leaderboard from the CSVs of an experiment, or of all."""
    if (csv and json) or ((csv or json) and (html or style == "paper")):
        raise UsageError("--csv, --json, --html and --style paper are four outputs; give one of them")
    if (html or style == "paper") and (methods is not None or tasks is not None):
        raise UsageError(
            "--methods and --tasks choose for tables and fronts; give them without --html and --style paper"
        )
    if html and (effective or threshold is not None):
        raise UsageError(
            "a page offers all zero thresholds and effective weights; give --html without the other option"
        )
    if style == "paper" and (html or effective or threshold is not None):
        raise UsageError(
            "figures for a paper count weights as they were trained; give --style paper without the other option"
        )
    some_methods, some_tasks = (None if texts is None else split_list(texts) for texts in (methods, tasks))
    if some_methods == [] or some_tasks == []:
        raise UsageError("--methods and --tasks take names separated by commas; leave them out to show all")
    os.environ["MPLBACKEND"] = "agg"  # figures go to files; a notebook names a backend that may not be installed here
    try:
        from plots.report import report as report_folder
        from plots.report import report_for_paper
        from plots.terminal import show
        from plots.thresholds import parse_threshold
    except ModuleNotFoundError as missing:
        raise UsageError(f"reports need {missing.name}: pip install 'sparsefront[plots]'") from None

    options.load_plugins(plugin)
    chosen = None if threshold is None else parse_threshold(threshold)
    folders = (
        [folder_of(results, experiment)] if experiment else sorted(path.parent for path in results.glob("*/runs.csv"))
    )
    if not folders:
        raise UsageError(f"there are no results in {results}; `sparsefront run` makes some")
    if html:
        target = (folders[0] if experiment else results) / "report.html"
        console.print(f"wrote {write_pages(folders, target)}", soft_wrap=True)
        return
    if style == "paper":
        _each(folders, lambda folder: report_for_paper(folder, stale_in(folder)))
        return
    if csv or json:
        from plots.report import boards

        print(boards(folders, chosen, effective, some_methods, some_tasks, form="csv" if csv else "json"))
        return

    def draw(folder: Path) -> Iterable[Path]:
        written = report_folder(folder, chosen, stale_in(folder), effective, some_methods, some_tasks)
        show(written.boards)
        if written.mixed:
            console.print(
                f"{folder.name}: {', '.join(written.mixed)} ran at several learning rates with all else equal, and of "
                "each value the run that finished last is shown; a figure with choose=plots.learning_rates.at_chosen "
                "takes one rate for each method (docs/extending.md)",
                soft_wrap=True,
            )
        return written.paths

    _each(folders, draw)


def _each(folders: Sequence[Path], draw: Callable[[Path], Iterable[Path]]) -> None:
    """Draw each folder and print the files; raise UsageError at the end if one of several cannot be reported."""
    faulty = []
    for folder in folders:
        try:
            for path in draw(folder):
                console.print(f"wrote {path}", soft_wrap=True)
        except UsageError as error:
            if len(folders) == 1:
                raise
            faulty.append(folder.name)
            console.print(f"{folder.name}: {error}", soft_wrap=True)
    if faulty:
        raise UsageError(f"{len(faulty)} of {len(folders)} folders cannot be reported: {', '.join(faulty)}")


def compare(
    folders: Annotated[list[Path], typer.Argument(help="Folders with runs.csv, such as results/families.")],
    output: Annotated[Path, typer.Option(parser=options.path, help="Folder for the figures and the table.")] = Path(
        "comparison"
    ),
    threshold: Threshold = None,
) -> None:
    """Draw the figures and write leaderboard and statistics of several folders together; these stay as they are."""
    os.environ["MPLBACKEND"] = "agg"
    try:
        from plots.comparison_report import compare as write
        from plots.thresholds import parse_threshold
    except ModuleNotFoundError as missing:
        raise UsageError(f"reports need {missing.name}: pip install 'sparsefront[plots]'") from None

    chosen = None if threshold is None else parse_threshold(threshold)
    stale = set().union(*map(stale_in, folders))
    for path in write(folders, output, chosen, stale):
        console.print(f"wrote {path}", soft_wrap=True)


def docs() -> None:
    """Fill the blocks of README.md and docs/ in this checkout anew, from the methods and the published results."""
    try:
        from plots.doc_blocks import BLOCKS
        from plots.docs import update
    except ModuleNotFoundError as missing:
        raise UsageError(f"the blocks need {missing.name}: pip install 'sparsefront[plots]'") from None
    from benchmark.cli.method_table import method_table

    for path in update(Path(), BLOCKS | {"methods": method_table}):
        console.print(f"wrote {path}", soft_wrap=True)
