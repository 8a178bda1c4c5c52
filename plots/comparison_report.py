"""The report on several folders of results in one: two data sets, two machines, or a colleague's results."""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path

import pandas

from benchmark.errors import UsageError
from plots.answers import Answers, correct
from plots.figures import attainments, costs, profiles
from plots.figures.below_dense import below_dense
from plots.figures.forest import forest, has_readings
from plots.files import write_text
from plots.leaderboards import leaderboards, markdown
from plots.report import shown_runs
from plots.results import measured
from plots.statistics.accuracy import CONTROL
from plots.statistics.mcnemar import resolution_notes
from plots.statistics.write import write_statistics
from plots.style import file_name, save
from plots.thresholds import Threshold


def combine(
    folders: Sequence[Path], threshold: Threshold | None = None, stale: Set[str] = frozenset()
) -> pandas.DataFrame:
    """Return the runs of several folders in one table.

    If two folders hold different runs of one method on one task, the method's names get those of the folders, each with
    all runs of its folder. Dense and the control, which all others are compared with, keep their names in the first
    folder that has them. If two folders hold the same runs of a method, these count once.
    """
    names = _apart(folders)
    tables = [shown_runs(folder, threshold, stale)[1].assign(folder=names[folder]) for folder in folders]
    runs = pandas.concat(tables, ignore_index=True)
    held = runs.groupby(["task", "method", "folder"])["key"].agg(lambda keys: " ".join(sorted(keys)))
    apart = held.groupby(["task", "method"]).nunique() > 1
    split = pandas.MultiIndex.from_frame(runs[["task", "method"]]).map(apart.to_dict()).to_numpy(bool)
    first = runs.groupby(["task", "method"])["folder"].transform("first")
    base = runs["method"].isin(["dense", CONTROL]) & (runs["folder"] == first)
    for column in ("method", "label"):
        runs[column] = runs[column].mask(split & ~base, runs[column] + " in " + runs["folder"])
    return runs.drop_duplicates(["method", "key"], ignore_index=True)


def _apart(folders: Sequence[Path]) -> dict[Path, str]:
    """Return a name for each folder: the last part of its path, and as many before it as tell it from the others."""
    parts = {folder: folder.resolve().parts for folder in folders}
    names = {}
    for folder, own in parts.items():
        others = {other for other in parts.values() if other != own}
        length = next((n for n in range(1, len(own)) if own[-n:] not in {other[-n:] for other in others}), len(own))
        names[folder] = "/".join(own[-length:])
    return names


def compare(
    folders: Sequence[Path], output: Path, threshold: Threshold | None = None, stale: Set[str] = frozenset()
) -> list[Path]:
    """Write figures, leaderboard and statistics of several folders into <output>, and return the paths.

    With a `threshold` there are no figures of costs, which were not counted so, and McNemar's test takes the runs
    without a penalty alone. `stale` holds the keys of stale rows.

    Raises UsageError if a folder has no results or <output> cannot be written; nothing in the folders changes.
    """
    runs = combine(folders, threshold, stale)
    bits = _answers(folders, runs, threshold)
    text = markdown(leaderboards(runs), ", ".join(_apart(folders).values())) + resolution_notes(runs, bits)
    try:
        output.mkdir(parents=True, exist_ok=True)
        written = save(below_dense(runs), output / "below-dense")
        for task in sorted(set(measured(runs)["task"])):
            of_task = runs[runs["task"] == task]
            if has_readings(of_task, CONTROL):
                written += save(forest(of_task, task, CONTROL), output / file_name(f"against-{CONTROL}-{task}"))
        for draw in (attainments.draw, profiles.draw, *([] if threshold is not None else [costs.draw])):
            written += draw(output, runs, output)
        written += write_statistics(output, runs, bits)
        board = output / "leaderboard.md"
        write_text(board, text)
    except OSError as error:
        raise UsageError(f"{error.filename or output} cannot be written: {error.strerror}") from error
    return [*written, board]


def _answers(folders: Sequence[Path], runs: pandas.DataFrame, threshold: Threshold | None) -> Answers:
    """Return the answers of the runs to single examples; those of penalty runs are of their own zero threshold."""
    recounted = runs["penalty"].notna() & (runs["knob"] != "density")
    keys = set(runs.loc[~recounted, "key"] if threshold is not None else runs["key"])
    cells = (each for folder in folders for each in correct(folder).cells.items())
    return Answers({key: cell for key, cell in cells if key in keys})
