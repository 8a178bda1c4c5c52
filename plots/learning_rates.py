"""The learning rate at which each method does best."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
from moocore import hypervolume

from plots.files import write_table
from plots.metrics import Metric, metric_of, with_values
from plots.results import AT_LEARNING_RATE, ended
from plots.summaries import summary

# Points of validation accuracy below dense, or percent of another metric; lower ones are of no use to anyone.
USEFUL = 20
FARTHEST = 500  # compression; larger ones count as this one, or a single extreme point would decide
MASKS = ("density", "none")  # the knobs that are not the strength of a penalty


def learning_rates(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return one line for each task, method and learning rate; the column `chosen` marks the best one of each method.

    n of its trials were measured or diverged; trials that failed are in no number.

    The learning rate of largest hypervolume is chosen; a lower validation loss decides a tie, and then the smaller
    learning rate. The hypervolume is that of the points (log10 compression, validation accuracy) over the values of the
    knob, as means over seeds. Its reference point is compression 1 and dense's best validation accuracy minus 20
    points, or the best accuracy of all minus 20 if no dense run was measured. Compression beyond 500 counts as 500.
    Runs that diverged or have no weight left add nothing. Validation accuracy decides for a method without a knob.
    """
    lines = summary(runs, AT_LEARNING_RATE)
    rows = []
    for (task, method, knob, learning_rate), tried in runs.groupby(["task", "method", "knob", "learning_rate"]):
        on_task = lines[lines["task"] == task]
        own = on_task[(on_task["method"] == method) & (on_task["learning_rate"] == learning_rate)]
        accuracy, loss = own["val_mean"].max(), own["val_loss"].min()
        volume = (
            numpy.nan
            if knob == "none"
            else _hypervolume(own, least_useful(on_task, metric_of(runs[runs["task"] == task])))
        )
        diverged = int((tried["status"] == "diverged").sum())
        rows.append((task, method, learning_rate, len(tried), len(ended(tried)), diverged, volume, accuracy, loss))
    numbers = ["trials", "n", "diverged", "hypervolume", "best_val_accuracy", "val_loss"]
    table = pandas.DataFrame(rows, columns=["task", "method", "learning_rate", *numbers])
    ranked = table.assign(score=table["hypervolume"].fillna(table["best_val_accuracy"]))
    ranked = ranked.sort_values(["score", "val_loss", "learning_rate"], ascending=[False, True, True])
    table["chosen"] = table.index.isin(ranked.drop_duplicates(["task", "method"]).index)
    return table.drop(columns="val_loss")


def least_useful(lines: pandas.DataFrame, metric: Metric) -> float:
    """Return the validation score below which nothing counts, from the summary of one task."""
    dense = lines[lines["method"] == "dense"]
    best = float((lines if dense.empty else dense)["val_mean"].max())
    return best - metric.margin(USEFUL, best)


def _hypervolume(lines: pandas.DataFrame, least: float) -> float:
    points = lines.loc[numpy.isfinite(lines["compression"]), ["compression", "val_mean"]].to_numpy(dtype=float)
    points[:, 0] = numpy.log10(points[:, 0].clip(max=FARTHEST))
    return float(hypervolume(points, ref=[0.0, least], maximise=True))


def at_chosen(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the runs at their method's chosen learning rate."""
    table = learning_rates(runs)
    return runs.merge(table.loc[table["chosen"], ["task", "method", "learning_rate"]])


def write_learning_rates(folder: Path, runs: pandas.DataFrame, figures: Path) -> list[Path]:
    """Write <folder>/learning_rates.csv with values of the metric; `figures` stays empty."""
    path = folder / "learning_rates.csv"
    table = with_values(learning_rates(runs), runs, "best_val_accuracy")
    table["chosen"] = table["chosen"].map({True: "true", False: "false"})
    write_table(path, table, 10)
    return [path]
