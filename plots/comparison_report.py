"""The report on several folders of results in one: two data sets, two machines, or a colleague's results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas

from benchmark.errors import UsageError
from plots.figures.below_dense import below_dense
from plots.figures.forest import forest
from plots.leaderboards import markdown
from plots.results import load, measured
from plots.statistics.accuracy import CONTROL
from plots.style import file_name, save
from plots.thresholds import Threshold


def combine(folders: Sequence[Path], threshold: Threshold | None = None) -> pandas.DataFrame:
    """Return the runs of several folders in one table; a run that two folders hold counts once.

    If two folders hold different runs of one method on one task, the method's names get those of the folders.
    """
    tables = [load(folder, threshold).assign(folder=folder.resolve().name) for folder in folders]
    runs = pandas.concat(tables, ignore_index=True).drop_duplicates("key", ignore_index=True)
    several = runs.groupby(["task", "method"])["folder"].transform("nunique") > 1
    for column in ("method", "label"):
        runs[column] = runs[column].mask(several, runs[column] + " in " + runs["folder"])
    return runs


def compare(folders: Sequence[Path], output: Path, threshold: Threshold | None = None) -> list[Path]:
    """Write the figures and the leaderboard of several folders into <output>, and return the paths.

    Raises UsageError if a folder has no results or <output> cannot be written; nothing in the folders changes.
    """
    runs = combine(folders, threshold)
    text = markdown(runs, ", ".join(folder.resolve().name for folder in folders))
    try:
        output.mkdir(parents=True, exist_ok=True)
        written = save(below_dense(runs), output / "below-dense")
        for task in sorted(set(measured(runs)["task"])):
            of_task = runs[runs["task"] == task]
            if CONTROL in set(of_task["method"]):
                written += save(forest(of_task, task, CONTROL), output / file_name(f"against-{CONTROL}-{task}"))
        board = output / "leaderboard.md"
        board.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{error.filename or output} cannot be written: {error.strerror}") from error
    return [*written, board]
