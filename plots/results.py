"""The runs and curves of an experiment, as tables."""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path
from types import UnionType
from typing import get_type_hints

import numpy
import pandas

from benchmark.errors import UsageError
from benchmark.records.schema import COLUMNS, CURVE_COLUMNS, THRESHOLD_COLUMNS, Row
from benchmark.records.table import read

VALUE = ["task", "method", "knob", "value"]  # what the seeds of one point share

SETTINGS = ["options", "learning_rate", "epochs", "batch_size", "precision"]  # and what they must share

RATED = [*VALUE, "learning_rate"]  # the same, where learning rates are compared

NUMBERS = [name for name, kind in get_type_hints(Row).items() if kind in (int, float) or isinstance(kind, UnionType)]


def load(
    folder: Path, cut: float | None = None, point: list[str] = VALUE, stale: Set[str] = frozenset()
) -> pandas.DataFrame:
    """The runs of an experiment's folder: one row a run, columns as in `benchmark.records.Row`, numbers as numbers.

    A run that was tried again, or with another recipe, counts with its last row. Dense runs of a narrowed network,
    `task[width=w]`, are a method `narrow` of the task. Compression is infinite where no weight is left. With a `cut`,
    penalty runs count as thresholds.csv has them at that magnitude. `point` names the columns that make a point,
    VALUE or RATED. The column `stale` marks the rows whose key is in that set.
    Raises UsageError where runs.csv is not a whole table of this version, holds no measured run, or holds the seeds of
    one value under different settings, over which a mean would say nothing.
    """
    path = folder / "runs.csv"
    frame = pandas.DataFrame(read(path), columns=list(COLUMNS))
    for name in NUMBERS:
        frame[name] = _numbers(frame[name], path)
    frame = frame.drop_duplicates([*point, "seed"], keep="last").reset_index(drop=True)
    frame["stale"] = frame["key"].isin(stale)
    if cut is not None:
        frame = _at_cut(frame, folder / "thresholds.csv", cut)
    frame = _with_narrow(frame)
    frame["compression"] = 1 / frame["density"]
    runs = measured(frame)
    if runs.empty:
        raise UsageError(f"{path} holds no run with status ok, so there is nothing to report")
    for (task, method, _, value, *_), same in runs.groupby(point):
        if differing := [name for name in SETTINGS if same[name].nunique(dropna=False) > 1]:
            raise UsageError(
                f"{path} holds {method} at {value:g} on {task} with {', '.join(differing)} different from seed to "
                "seed, over which a mean says nothing; run all seeds again, or choose a folder with --results"
            )
    return frame


def _with_narrow(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The runs with small dense networks as a method of the full network's task, counted against its weights."""
    widths = frame["task"].str.extract(r"^(?P<task>[^\[]+)\[width=(?P<width>[^\]]+)\]$")
    full = widths["task"].map(frame.groupby("task")["prunable"].max())
    narrow = full.notna() & (frame["method"] == "dense")
    frame.loc[narrow, ["method", "knob"]] = ["narrow", "width"]
    frame["value"] = widths["width"].where(narrow, frame["value"]).astype(float)
    frame["density"] = frame["density"].mask(narrow, frame["nonzeros"] / full)
    frame["prunable"] = frame["prunable"].mask(narrow, full)
    frame["task"] = frame["task"].mask(narrow, widths["task"])
    return frame


def _at_cut(frame: pandas.DataFrame, path: Path, cut: float) -> pandas.DataFrame:
    """The runs with what was counted and measured of penalty runs at a cut, and that cut as their threshold."""
    columns = list(THRESHOLD_COLUMNS)
    cuts = pandas.DataFrame(read(path, THRESHOLD_COLUMNS), columns=columns)
    for name in columns[1:]:
        cuts[name] = _numbers(cuts[name], path)
    chosen = cuts[numpy.isclose(cuts["threshold"], cut, rtol=1e-3)].drop_duplicates("key", keep="last").set_index("key")
    if chosen.empty:
        raise UsageError(
            f"{path} holds no cut at {cut:g}; cuts are {', '.join(f'{c:g}' for c in sorted(set(cuts['threshold'])))}"
        )
    penalized = frame["penalty"].notna() & (frame["status"] == "ok")
    if lacking := int((penalized & ~frame["key"].isin(chosen.index)).sum()):
        raise UsageError(
            f"{path} does not hold the cut at {cut:g} for {lacking} runs; give their experiment a new folder"
        )
    frame = frame.set_index("key")
    frame.update(chosen[["nonzeros", "density", "val_accuracy", "test_accuracy"]])
    frame = frame.reset_index()
    frame.loc[penalized, "options"] = frame["options"].str.replace(r"threshold=[^,]*", f"threshold={cut:g}", regex=True)
    return frame


def curves(folder: Path) -> pandas.DataFrame:
    """The curves of an experiment's folder, columns key, epoch, metric, value; empty where none were kept.

    Where a run was tried again its last values count. Raises UsageError where a file is not such a table.
    """
    columns = list(CURVE_COLUMNS)
    packed, path = folder / "curves.csv.gz", folder / "curves.csv"
    parts = [pandas.DataFrame(columns=columns)]
    if packed.is_file():
        parts.append(pandas.read_csv(packed, dtype=str, keep_default_na=False))
        if list(parts[-1].columns) != columns:
            raise UsageError(f"{packed} does not have the columns {', '.join(columns)}")
    if path.is_file():
        parts.append(pandas.DataFrame(read(path, CURVE_COLUMNS), columns=columns))
    table = pandas.concat(parts, ignore_index=True)
    for name in ("epoch", "value"):
        table[name] = _numbers(table[name], path)
    return table.drop_duplicates(["key", "epoch", "metric"], keep="last").reset_index(drop=True)


def traces(folder: Path, frame: pandas.DataFrame, metrics: Sequence[str]) -> pandas.DataFrame:
    """The measured runs over time: a row a run and epoch, with a column for each metric, NaN where a run has none.

    Raises UsageError where no run has a curve of one of them.
    """
    table = curves(folder)
    table = table[table["metric"].isin(metrics) & table["key"].isin(measured(frame)["key"])]
    if missing := [metric for metric in metrics if metric not in set(table["metric"])]:
        raise UsageError(f"{folder} holds no curve of {' and '.join(missing)}; running its experiment makes them")
    wide = table.pivot(index=["key", "epoch"], columns="metric", values="value").reset_index()
    return measured(frame)[[*VALUE, "depth", "seed", "key"]].merge(wide, on="key")


def _numbers(cells: pandas.Series, path: Path) -> pandas.Series:
    try:
        return pandas.to_numeric(cells.replace(["", "nan"], None))
    except ValueError as error:
        raise UsageError(f"{path} holds something that is no number in column {cells.name}: {error}") from error


def measured(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The runs that may be drawn, averaged and chosen: status ok and no number missing."""
    there = frame[["density", "val_accuracy", "test_accuracy"]].notna().all(axis=1)
    return frame[(frame["status"] == "ok") & there]
