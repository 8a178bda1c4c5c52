"""Compression at a tolerance: how far each method compresses before it loses a given number of points."""

from __future__ import annotations

import numpy
import pandas

from plots.comparisons import intervals
from plots.metrics import task_metrics
from plots.readings import reach
from plots.results import measured

LOSSES = (0.5, 1, 2, 5, 10)  # points of test accuracy below dense, or percent of another metric
COLUMNS = ["task", "loss", "method", "n", "asked", "missed", "beyond", "compression", "low", "high"]


def tolerance_table(curves: pandas.DataFrame, runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return one line for each task, loss and method of `plots.readings.seed_curves`.

    `compression` is the largest at which the front is at most `loss` points below the mean of the dense runs among
    `runs`, as geometric mean over n seeds. `missed` of these start below and count as compression 1; `beyond` of these
    end above, so the mean is a lower bound. Methods without either have a 95 % interval, low to high, by t on the
    logarithm with the variance pooled over them; it takes dense's mean as known.
    """
    dense = measured(runs[runs["method"] == "dense"]).groupby("task")["test_accuracy"].mean()
    metrics = task_metrics(runs)
    parts = []
    for task, own in curves.groupby("task"):
        full = dense.get(task, numpy.nan)
        levels = [full - metrics[str(task)].margin(loss, full) for loss in LOSSES]
        for loss, reached in zip(LOSSES, reach(own, levels), strict=True):
            reached["log"] = numpy.log(reached["compression"])
            table = reached.groupby("method").agg(
                n=("seed", "size"),
                asked=("asked", "max"),
                missed=("missed", "sum"),
                beyond=("beyond", "sum"),
                log=("log", "mean"),
            )
            whole = table.index[(table["missed"] == 0) & (table["beyond"] == 0)]
            samples = {str(method): reached.loc[reached["method"] == method, "log"].tolist() for method in whole}
            table = table.join(intervals(samples)[["low", "high"]]).rename(columns={"log": "compression"})
            numbers = ["compression", "low", "high"]
            table[numbers] = numpy.exp(table[numbers].astype(float))
            parts.append(table.reset_index().assign(task=task, loss=loss))
    return pandas.concat(parts, ignore_index=True)[COLUMNS] if parts else pandas.DataFrame(columns=COLUMNS)
