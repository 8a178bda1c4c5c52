"""The learning rate at which each method does best."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
from moocore import hypervolume

from plots.results import RATED
from plots.summaries import summary

USEFUL = 20  # points of validation accuracy below dense; what lies lower is of no use to anyone

FARTHEST = 500  # compression; more counts as much, or one point far out would decide

MASKS = ("density", "none")  # knobs that are no strength of a penalty


def rates(frame: pandas.DataFrame) -> pandas.DataFrame:
    """One line a task, method and learning rate, and which rate is chosen for each task and method.

    The rate of largest hypervolume is chosen, of several that of lowest validation loss, then the smallest. The
    hypervolume is that of the points (log10 compression, validation accuracy) over the values of the knob, means over
    seeds, above the reference point of compression 1 and the best dense validation accuracy minus 20 points; without a
    dense run, the best of all minus 20. Compression beyond 500 counts as 500. Runs that diverged or have no weight left
    add nothing. For a method without a knob validation accuracy decides.
    """
    lines = summary(frame, RATED)
    rows = []
    for (task, method, knob, rate), runs in frame.groupby(["task", "method", "knob", "learning_rate"]):
        own = lines[(lines["task"] == task) & (lines["method"] == method) & (lines["learning_rate"] == rate)]
        accuracy, loss = own["val_mean"].max(), own["val_loss"].min()
        volume = numpy.nan if knob == "none" else _volume(own, _floor(lines[lines["task"] == task]))
        diverged = int((runs["status"] == "diverged").sum())
        rows.append((task, method, rate, len(runs), diverged, volume, accuracy, loss))
    columns = ["task", "method", "learning_rate", "trials", "diverged", "hypervolume", "best_val_accuracy", "val_loss"]
    table = pandas.DataFrame(rows, columns=columns)
    worth = table["hypervolume"].fillna(table["best_val_accuracy"])
    ranked = table.assign(worth=worth).sort_values(
        ["worth", "val_loss", "learning_rate"], ascending=[False, True, True]
    )
    table["chosen"] = table.index.isin(ranked.drop_duplicates(["task", "method"]).index)
    return table.drop(columns="val_loss")


def _floor(lines: pandas.DataFrame) -> float:
    """The validation accuracy below which nothing counts."""
    dense = lines[lines["method"] == "dense"]
    return float((lines if dense.empty else dense)["val_mean"].max()) - USEFUL


def _volume(lines: pandas.DataFrame, floor: float) -> float:
    points = lines.loc[numpy.isfinite(lines["compression"]), ["compression", "val_mean"]].to_numpy(dtype=float)
    points[:, 0] = numpy.log10(points[:, 0].clip(max=FARTHEST))
    return float(hypervolume(points, ref=[0.0, floor], maximise=True))


def at_chosen(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The runs at their method's chosen learning rate."""
    table = rates(frame)
    return frame.merge(table.loc[table["chosen"], ["task", "method", "learning_rate"]])


def write_learning_rates(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Write <folder>/learning_rates.csv; `figures` stays empty."""
    path = folder / "learning_rates.csv"
    table = rates(frame)
    table["chosen"] = table["chosen"].map({True: "true", False: "false"})
    table.to_csv(path, index=False, float_format="%.10g", lineterminator="\n")
    return [path]
