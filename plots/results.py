"""The runs and the curves of an experiment, as tables."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence, Set
from pathlib import Path
from types import UnionType
from typing import get_type_hints

import pandas

from benchmark.errors import UsageError
from benchmark.records.schema import COLUMNS, CURVE_COLUMNS, Row
from plots.cells import check_cells
from plots.deployed import with_deployed
from plots.given import SHOWN, Runs, table_of
from plots.metrics import SIGNS, task_metrics, with_scores
from plots.tables import read_table, with_packed
from plots.thresholds import Threshold, at_threshold

VALUE = ["task", "method", "knob", "value"]  # the columns that the seeds of one point share
AT_LEARNING_RATE = [*VALUE, "learning_rate"]  # the same columns, for experiments that compare learning rates
AT_SETTING = [*AT_LEARNING_RATE, "epochs"]  # and for those that compare learning rates or budgets
SETTINGS = ["options", "learning_rate", "epochs", "batch_size", "precision"]  # also equal for the seeds of one point

NUMBERS = [name for name, kind in get_type_hints(Row).items() if kind in (int, float) or isinstance(kind, UnionType)]


def load(
    folder: Path | str,
    threshold: Threshold | None = None,
    point: list[str] = VALUE,
    stale: Set[str] = frozenset(),
    effective: bool = False,
) -> pandas.DataFrame:
    """Return the runs of an experiment's folder: one row for each run, with the columns of `Row` in records/schema.py.

    If a run was repeated, or trained again with another recipe, its last row counts. Dense runs of a task with a
    `width` become runs of a method `narrow` of the full task. Compression is infinite if no weight is left. With a
    `threshold`, the measurements of penalty runs come from thresholds.csv: at this magnitude or, with "validated", at
    the one that plots/thresholds.py chooses for each run on validation data. With `effective`, only weights on a path
    from an input to an output count. The column `counted` says "validated", "effective" or nothing. In files of older
    versions, which lack the columns, label, base_task and threshold come from the others. `point` names the columns
    that identify a point, VALUE or, where learning rates or budgets are compared, AT_SETTING. The column `stale` marks
    the rows whose keys are in the given set. The columns `file_compression` and `measured_speedup` are those of
    plots/deployed.py.

    Raises UsageError if runs.csv is incomplete, holds no measured run, lacks the counts that were asked for, or holds
    seeds of one value that were trained under different settings, since their mean would say nothing.
    """
    folder = os.path.expanduser(folder)  # noqa: PTH111  (unlike Path's, it raises nothing where there is no home)
    return loaded(rows(folder), folder, threshold, point, stale, effective)


def rows(folder: Path | str) -> pandas.DataFrame:
    """Return the rows of runs.csv as they are."""
    return read_table(Path(folder) / "runs.csv", COLUMNS, NUMBERS)


def loaded(
    table: pandas.DataFrame,
    folder: Path | str,
    threshold: Threshold | None,
    point: list[str],
    stale: Set[str],
    effective: bool,
) -> pandas.DataFrame:
    """Return what `load` returns, from a table of `rows`, so that what shows a folder in several ways reads it once."""
    path = Path(folder) / "runs.csv"
    check_cells(table, path)
    runs = table.copy()
    runs["base_task"] = runs["base_task"].where(runs["base_task"] != "", runs["task"])
    runs["label"] = runs["label"].where(runs["label"] != "", runs["method"])
    runs["threshold"] = runs["threshold"].fillna(pandas.to_numeric(option(runs, "threshold")))
    runs = runs.drop_duplicates([*point, "seed", "epochs"], keep="last").reset_index(drop=True)
    runs = with_scores(runs, runs["better"])
    runs["stale"] = runs["key"].isin(stale)
    runs["counted"] = "effective" if effective else "validated" if threshold == "validated" else ""
    if threshold is not None:
        runs = at_threshold(runs, path.with_name("thresholds.csv"), threshold)
    if effective:
        runs = _effective(runs, path)
    runs = _with_narrow(runs)
    runs["compression"] = 1 / runs["density"]
    runs = with_deployed(runs, path.parent)
    if measured(runs).empty:
        raise UsageError(f"{path} holds no run with status ok, so there is nothing to report")
    settings = [name for name in SETTINGS if name not in point]
    several = measured(runs).groupby(point)[settings].nunique(dropna=False) > 1
    for line in several[several.any(axis=1)].reset_index().to_dict("records"):
        differing = ", ".join(name for name in settings if line[name])
        raise UsageError(
            f"{path} holds {line['method']} at {line['value']:g} on {line['task']} with {differing} different from "
            "seed to seed, over which a mean says nothing; run all seeds again, or choose a folder with --results"
        )
    return runs


def option(runs: pandas.DataFrame, name: str) -> pandas.Series:
    """Return the text of a method's option for each run, from the column `options`; NaN if the method has none."""
    found = {}
    for options in runs["options"].unique():  # few are different
        cells = options
        while cells != (cells := re.sub(r"\[[^\[\]]*\]", "", cells)):  # options of a method inside
            pass
        value = re.search(rf"(?:^|,){re.escape(name)}=([^,]*)", cells)
        found[options] = value[1] if value else None
    return runs["options"].map(found)


def _effective(runs: pandas.DataFrame, path: Path) -> pandas.DataFrame:
    """Return the runs with their effective weights as the ones that are left."""
    there = measured(runs)
    if lacking := int(there["effective_nonzeros"].isna().sum()):
        raise UsageError(
            f"{path} holds no effective weights of {lacking} runs: older versions did not count them, and they are not "
            "counted in networks with attention or layer norm"
        )
    return runs.assign(nonzeros=runs["effective_nonzeros"], density=runs["effective_density"])


def _with_narrow(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the runs with small dense networks as a method of the full task, counted against its weights."""
    full = runs["base_task"].map(runs[runs["task"] == runs["base_task"]].groupby("task")["prunable"].max())
    other = (runs["task"] != runs["base_task"]) & runs["width"].notna() & (runs["width"] != 1)
    narrow = other & (runs["method"] == "dense") & full.notna()
    runs.loc[narrow, ["method", "label", "family", "knob"]] = ["narrow", "narrow", "control", "width"]
    runs["value"] = runs["value"].mask(narrow, runs["width"])
    runs["density"] = runs["density"].mask(narrow, runs["nonzeros"] / full)
    runs["prunable"] = runs["prunable"].mask(narrow, full)
    runs["task"] = runs["task"].mask(narrow, runs["base_task"])
    return runs


def curves(folder: Path) -> pandas.DataFrame:
    """Return the curves of an experiment's folder, with columns key, epoch, metric, value; no rows if it has none.

    If a run was repeated, its last values count. Raises UsageError if a file is not such a table.
    """
    table = with_packed(folder / "curves.csv", CURVE_COLUMNS, ("epoch", "value"), ("key", "metric"))
    table = table.drop_duplicates(["key", "epoch", "metric"], keep="last").reset_index(drop=True)
    return table.astype({"key": "str", "metric": "str"})


def traces(folder: Path, runs: pandas.DataFrame, metrics: Sequence[str]) -> pandas.DataFrame:
    """Return the measured runs over time: one row for each run and epoch, with a column for each metric.

    val_accuracy holds scores, as in the table of runs. A metric is NaN if the run has no curve of it.

    Raises UsageError if no run has a curve of one of the metrics.
    """
    table = curves(folder)
    table["metric"] = table["metric"].replace("val_metric", "val_accuracy")
    table = table[table["metric"].isin(metrics) & table["key"].isin(measured(runs)["key"])]
    if missing := [metric for metric in metrics if metric not in set(table["metric"])]:
        raise UsageError(f"{folder} holds no curve of {' and '.join(missing)}; running its experiment makes them")
    wide = table.pivot(index=["key", "epoch"], columns="metric", values="value").reset_index()
    found = measured(runs)[[*VALUE, "depth", "seed", "key", "better"]].merge(wide, on="key")
    if "val_accuracy" in metrics:
        found["val_accuracy"] *= found["better"].map(SIGNS).fillna(1)
    return found


def of_task(runs: Runs, task: str | None = None) -> pandas.DataFrame:
    """Return the runs of one task from one or several tables of runs; a run that is there twice counts once.

    Raises UsageError for another kind of table, if it holds no run, if there are no runs of the task, or if it is not
    given and the runs are not of a single one.
    """
    table = table_of(runs, SHOWN)
    tasks = sorted(table["task"].unique())
    if not tasks:
        raise UsageError("the table holds no run; does a filter leave none, as for a misspelt method?")
    if task not in tasks and (task is not None or len(tasks) != 1):
        raise UsageError(f"name one task; the runs are of {', '.join(tasks)}")
    return table[table["task"] == (task or tasks[0])]


def ended(runs: pandas.DataFrame, share: pandas.Series | None = None) -> pandas.DataFrame:
    """Return the runs that were measured or diverged, with the columns `missed` and `share`.

    A run that diverged or kept no weight is a miss: its accuracies are chance, and its share of the weights, or the
    given one of another cost, is NaN. Runs that failed, as for lack of memory, are in no number.
    """
    share = runs["density"] if share is None else share
    diverged = runs["status"] == "diverged"
    there = runs.index.isin(measured(runs).index) & share.notna()
    found = runs.assign(missed=diverged | ~(share > 0), share=share)[there | diverged]
    chances = found["task"].map({task: metric.chance for task, metric in task_metrics(runs).items()})
    for column in ("val_accuracy", "test_accuracy"):
        found[column] = found[column].mask(found["missed"], chances)
    return found.assign(share=found["share"].mask(found["missed"]))


def measured(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the runs that figures, means and choices use: status ok, and no accuracy or density missing."""
    there = runs[["density", "val_accuracy", "test_accuracy"]].notna().all(axis=1)
    return runs[(runs["status"] == "ok") & there]
