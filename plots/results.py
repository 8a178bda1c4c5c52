"""The runs and the curves of an experiment, as tables."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence, Set
from pathlib import Path
from types import UnionType
from typing import get_type_hints

import numpy
import pandas
from numpy.typing import NDArray

from benchmark.errors import UsageError
from benchmark.records.bits import decode
from benchmark.records.schema import COLUMNS, CORRECT_COLUMNS, CURVE_COLUMNS, THRESHOLD_COLUMNS, Row
from benchmark.records.table import read

VALUE = ["task", "method", "knob", "value"]  # the columns that the seeds of one point share
AT_LEARNING_RATE = [*VALUE, "learning_rate"]  # the same columns, for experiments that compare learning rates
SETTINGS = ["options", "learning_rate", "epochs", "batch_size", "precision"]  # also equal for the seeds of one point

NUMBERS = [name for name, kind in get_type_hints(Row).items() if kind in (int, float) or isinstance(kind, UnionType)]


def load(
    folder: Path | str, threshold: float | None = None, point: list[str] = VALUE, stale: Set[str] = frozenset()
) -> pandas.DataFrame:
    """Return the runs of an experiment's folder: one row for each run, with the columns of `Row` in records/schema.py.

    If a run was repeated, or trained again with another recipe, its last row counts. Dense runs of a task with a
    `width` become runs of a method `narrow` of the full task. Compression is infinite if no weight is left. With a
    `threshold`, the measurements of penalty runs come from thresholds.csv. In files of older versions, which lack the
    columns, label, base_task and threshold come from the others. `point` names the columns that identify a
    point, VALUE or AT_LEARNING_RATE. The column `stale` marks the rows whose keys are in the given set.

    Raises UsageError if runs.csv is incomplete, holds no measured run, or holds seeds of one value that were trained
    under different settings, since their mean would say nothing.
    """
    path = Path(folder) / "runs.csv"
    runs = read_table(path, COLUMNS, NUMBERS)
    runs["base_task"] = runs["base_task"].where(runs["base_task"] != "", runs["task"])
    runs["label"] = runs["label"].where(runs["label"] != "", runs["method"])
    runs["threshold"] = runs["threshold"].fillna(pandas.to_numeric(option(runs, "threshold")))
    runs = runs.drop_duplicates([*point, "seed"], keep="last").reset_index(drop=True)
    runs["stale"] = runs["key"].isin(stale)
    if threshold is not None:
        runs = _at_threshold(runs, path.with_name("thresholds.csv"), threshold)
    runs = _with_narrow(runs)
    runs["compression"] = 1 / runs["density"]
    if measured(runs).empty:
        raise UsageError(f"{path} holds no run with status ok, so there is nothing to report")
    for (task, method, _, value, *_), same in measured(runs).groupby(point):
        if differing := [name for name in SETTINGS if same[name].nunique(dropna=False) > 1]:
            raise UsageError(
                f"{path} holds {method} at {value:g} on {task} with {', '.join(differing)} different from seed to "
                "seed, over which a mean says nothing; run all seeds again, or choose a folder with --results"
            )
    return runs


def read_table(path: Path, columns: Sequence[str], numbers: Collection[str]) -> pandas.DataFrame:
    """Return a CSV of an experiment; the columns in `numbers` hold numbers, NaN for an empty cell, others hold text.

    Raises UsageError if the file is incomplete or if one of these cells holds no number.
    """
    return _with_numbers(pandas.DataFrame(read(path, columns), columns=list(columns)), numbers, path)


def _with_numbers(table: pandas.DataFrame, numbers: Collection[str], path: Path) -> pandas.DataFrame:
    for name in numbers:
        try:
            table[name] = pandas.to_numeric(table[name].replace(["", "nan"], None))
        except ValueError as error:
            raise UsageError(f"{path} holds something that is no number in column {name}: {error}") from error
    return table


def option(runs: pandas.DataFrame, name: str) -> pandas.Series:
    """Return the text of a method's option for each run, from the column `options`; NaN if the method has none."""
    inner = r"\[[^\[\]]*\]"  # the options of a method that another method goes around
    while (cells := runs["options"].str.replace(inner, "", regex=True)).str.contains(r"\[").any():
        runs = runs.assign(options=cells)
    return cells.str.extract(rf"(?:^|,){re.escape(name)}=([^,]*)", expand=False)


def _with_narrow(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the runs with small dense networks as a method of the full task, counted against its weights."""
    full = runs["base_task"].map(runs[runs["task"] == runs["base_task"]].groupby("task")["prunable"].max())
    narrow = (runs["task"] != runs["base_task"]) & runs["width"].notna() & (runs["method"] == "dense") & full.notna()
    runs.loc[narrow, ["method", "label", "family", "knob"]] = ["narrow", "narrow", "control", "width"]
    runs["value"] = runs["value"].mask(narrow, runs["width"])
    runs["density"] = runs["density"].mask(narrow, runs["nonzeros"] / full)
    runs["prunable"] = runs["prunable"].mask(narrow, full)
    runs["task"] = runs["task"].mask(narrow, runs["base_task"])
    return runs


def _at_threshold(runs: pandas.DataFrame, path: Path, threshold: float) -> pandas.DataFrame:
    """Return the runs with the counts and accuracies that thresholds.csv holds for penalty runs at a threshold."""
    penalized = runs["penalty"].notna() & (runs["knob"] != "density")  # l1 has a penalty, but ends with a mask
    if not penalized.any():
        raise UsageError(f"{path.parent} holds no run of a penalty, and a zero threshold changes no other run")
    table = read_table(path, THRESHOLD_COLUMNS, THRESHOLD_COLUMNS[1:])
    chosen = table[numpy.isclose(table["threshold"], threshold, rtol=1e-3)]
    chosen = chosen.drop_duplicates("key", keep="last").set_index("key")
    if chosen.empty:
        there = ", ".join(f"{number:g}" for number in sorted(set(table["threshold"])))
        raise UsageError(f"{path} holds no threshold {threshold:g}; thresholds are {there}")
    penalized &= runs["status"] == "ok"
    if lacking := int((penalized & ~runs["key"].isin(chosen.index)).sum()):
        raise UsageError(
            f"{path} does not hold threshold {threshold:g} for {lacking} runs; give their experiment a new folder"
        )
    runs = runs.set_index("key")
    chosen = chosen[chosen.index.isin(runs.index[penalized.to_numpy()])]
    runs.update(chosen[["nonzeros", "density", "val_accuracy", "test_accuracy"]])
    runs = runs.reset_index()
    runs.loc[penalized, "threshold"] = threshold
    return runs


def curves(folder: Path) -> pandas.DataFrame:
    """Return the curves of an experiment's folder, with columns key, epoch, metric, value; no rows if it has none.

    If a run was repeated, its last values count. Raises UsageError if a file is not such a table.
    """
    path = folder / "curves.csv"
    table = _with_numbers(_with_packed(path, CURVE_COLUMNS), ("epoch", "value"), path)
    return table.drop_duplicates(["key", "epoch", "metric"], keep="last").reset_index(drop=True)


def correct(folder: Path | str) -> dict[str, NDArray[numpy.bool_]]:
    """Return by key whether each test example was classified correctly, in the order of the test set.

    So the runs of two methods can be compared example by example, which tells smaller differences apart than their
    accuracies do. Runs of older versions and runs without a result are missing. If a run was repeated, its last row
    counts. Raises UsageError if a file is not such a table.
    """
    path = Path(folder) / "correct.csv"
    table = _with_numbers(_with_packed(path, CORRECT_COLUMNS), ("examples",), path)
    try:
        cells = zip(table["key"], table["examples"], table["correct"], strict=True)
        return {key: decode(text, int(examples)) for key, examples, text in cells}
    except ValueError as error:
        raise UsageError(f"{path} holds a damaged cell: {error}") from None


def _with_packed(path: Path, columns: Sequence[str]) -> pandas.DataFrame:
    """Return the rows of a table whose older rows may be in `<file>.gz`; no rows if there is neither file."""
    packed = path.with_name(path.name + ".gz")
    parts = [pandas.DataFrame(columns=list(columns))]
    if packed.is_file():
        parts.append(pandas.read_csv(packed, dtype=str, keep_default_na=False))
        if list(parts[-1].columns) != list(columns):
            raise UsageError(f"{packed} does not have the columns {', '.join(columns)}")
    if path.is_file():
        parts.append(pandas.DataFrame(read(path, columns), columns=list(columns)))
    return pandas.concat(parts, ignore_index=True)


def traces(folder: Path, runs: pandas.DataFrame, metrics: Sequence[str]) -> pandas.DataFrame:
    """Return the measured runs over time: one row for each run and epoch, with a column for each metric.

    A metric is NaN if the run has no curve of it. Raises UsageError if no run has a curve of one of the metrics.
    """
    table = curves(folder)
    table = table[table["metric"].isin(metrics) & table["key"].isin(measured(runs)["key"])]
    if missing := [metric for metric in metrics if metric not in set(table["metric"])]:
        raise UsageError(f"{folder} holds no curve of {' and '.join(missing)}; running its experiment makes them")
    wide = table.pivot(index=["key", "epoch"], columns="metric", values="value").reset_index()
    return measured(runs)[[*VALUE, "depth", "seed", "key"]].merge(wide, on="key")


def of_task(runs: pandas.DataFrame | Sequence[pandas.DataFrame], task: str | None = None) -> pandas.DataFrame:
    """Return the runs of one task from one or several tables of runs; a run that several tables hold counts once.

    Raises UsageError if there are no runs of the task, or if it is not given and the runs are not of a single one.
    """
    table = runs if isinstance(runs, pandas.DataFrame) else pandas.concat(runs, ignore_index=True)
    tasks = sorted(table["task"].unique())
    if task not in tasks and (task is not None or len(tasks) != 1):
        raise UsageError(f"name one task; the runs are of {', '.join(tasks) or 'none'}")
    same = table[table["task"] == (task or tasks[0])]
    return same if isinstance(runs, pandas.DataFrame) else same.drop_duplicates("key")


def measured(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the runs that figures, means and choices use: status ok, and no accuracy or density missing."""
    there = runs[["density", "val_accuracy", "test_accuracy"]].notna().all(axis=1)
    return runs[(runs["status"] == "ok") & there]
