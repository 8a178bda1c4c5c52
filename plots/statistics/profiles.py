"""Performance profiles: how often each method is within a given loss of the best one."""

from __future__ import annotations

import numpy
import pandas

from plots.metrics import task_metrics

LOSSES = (0, 0.1, 0.2, 0.5, 1, 2, 5)  # points of test accuracy below the best, or percent of another metric
COLUMNS = ["method", "loss", "share", "n", "asked", "tasks"]


def losses(readings: pandas.DataFrame, runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return what each method loses to the best one of its problem: method, task, at, seed, loss.

    A problem is a task, a compression of `plots.readings.read_at` and a seed at which two or more methods have a
    reading. A method that was run with this seed on this task and has none loses infinitely much. The best of all has
    loss 0; others lose points of test accuracy, or percent of the best value of another metric.
    """
    problem = ["task", "at", "seed"]
    several = readings.groupby(problem)["test_accuracy"].agg(["size", "max"])
    several = several[several["size"] > 1].reset_index().rename(columns={"max": "best"})
    asked = runs.loc[runs["method"] != "dense", ["method", "task", "seed"]].drop_duplicates()
    table = asked.merge(several, on=["task", "seed"]).merge(
        readings[["method", *problem, "test_accuracy"]], on=["method", *problem], how="left"
    )
    metrics = task_metrics(runs)
    parts = [table.assign(loss=numpy.inf).head(0)]
    for task, own in table.groupby("task"):
        lost = -metrics[str(task)].gain(own["test_accuracy"], own["best"])
        parts.append(own.assign(loss=lost.fillna(numpy.inf)))
    return pandas.concat(parts if len(parts) == 1 else parts[1:], ignore_index=True)[["method", *problem, "loss"]]


def profile_table(readings: pandas.DataFrame, runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the share of problems on which each method loses at most `loss`, one line for each loss in LOSSES.

    E. D. Dolan & J. J. Moré, Mathematical Programming 2002, with differences where they take ratios. `asked` counts the
    problems of `losses` of the method, on so many `tasks`, and n those on which it has a reading; the share is of
    those asked. Problems of one seed hang together and those of one task more so; hence there is no interval.
    """
    lines = []
    for method, own in losses(readings, runs).groupby("method"):
        n, tasks = int(numpy.isfinite(own["loss"]).sum()), own["task"].nunique()
        # The last term allows for the rounding of a difference of two means.
        lines += [(method, loss, (own["loss"] <= loss + 1e-9).mean(), n, len(own), tasks) for loss in LOSSES]
    return pandas.DataFrame(lines, columns=COLUMNS)
