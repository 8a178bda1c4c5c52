"""Test accuracy at exactly a given compression, read between a method's own values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
import pandas
from moocore import is_nondominated

from plots.metrics import metric_of
from plots.results import VALUE, measured


def seed_curves(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the points that each seed's front goes through: task, method, value, seed, compression, test_accuracy.

    A point is a value of the method: its compression is 1 / mean density over the seeds, its accuracy the seed's own. A
    run that diverged or kept no weight stays in its value, at chance accuracy. A run that failed, such as one that ran
    out of memory, has no point. The values are those that no other value of the method beats in compression and mean
    *validation* accuracy, so test accuracy chooses nothing.
    """
    ended = runs[runs["key"].isin(measured(runs)["key"]) | (runs["status"] == "diverged")].copy()
    missed = (ended["status"] == "diverged") | ~(ended["density"] > 0)
    chances = {task: metric_of(own).chance for task, own in runs.groupby("task")}
    for column in ("val_accuracy", "test_accuracy"):
        ended[column] = ended[column].mask(missed, ended["task"].map(chances))
    ended["density"] = ended["density"].mask(missed)
    lines = ended.groupby(VALUE, as_index=False).agg(density=("density", "mean"), val_mean=("val_accuracy", "mean"))
    lines["compression"] = 1 / lines["density"]
    lines = lines.dropna(subset=["compression"])
    members = [
        own[is_nondominated(own[["compression", "val_mean"]].to_numpy(dtype=float), maximise=True, keep_weakly=True)]
        for _, own in lines.groupby(["task", "method"])
    ]
    front = pandas.concat([lines.head(0), *members])[[*VALUE, "compression"]]
    points = ended.drop(columns="compression").merge(front, on=VALUE)
    return points[["task", "method", "value", "seed", "compression", "test_accuracy"]]


def read_at(curves: pandas.DataFrame, compressions: Sequence[float]) -> pandas.DataFrame:
    """Return the test accuracy of every seed's curve at each compression, linear in its logarithm between points.

    Columns: task, method, seed, at (the compression), test_accuracy, and `between`, which is true where the accuracy is
    read more than one percent away from every point. A curve has no reading beyond its last point; before the first
    one it has the accuracy of that point, whose network is smaller still.
    """
    rows = []
    for (task, method, seed), own in curves.sort_values("compression").groupby(["task", "method", "seed"]):
        x, y = own["compression"].to_numpy(dtype=float), own["test_accuracy"].to_numpy(dtype=float)
        for compression in compressions:
            if compression <= 1.01 * x[-1]:
                accuracy = float(numpy.interp(numpy.log(compression), numpy.log(x), y))
                between = bool((numpy.abs(x / compression - 1) > 0.01).all())
                rows.append((task, method, seed, compression, accuracy, between))
    return pandas.DataFrame(rows, columns=["task", "method", "seed", "at", "test_accuracy", "between"])


def reach(curves: pandas.DataFrame, accuracy: float) -> pandas.DataFrame:
    """Return the largest compression up to which each seed's curve keeps at least a test accuracy.

    Columns: task, method, seed, compression, and `beyond`, which is true where the curve ends above the accuracy. A
    curve that starts below it has no row, and none has one if the accuracy is NaN.
    """
    rows = []
    if numpy.isnan(accuracy):
        curves = curves.head(0)
    for (task, method, seed), own in curves.sort_values("compression").groupby(["task", "method", "seed"]):
        x, y = numpy.log(own["compression"].to_numpy(dtype=float)), own["test_accuracy"].to_numpy(dtype=float)
        below = numpy.flatnonzero(y < accuracy)
        if len(below) == 0:
            rows.append((task, method, seed, float(numpy.exp(x[-1])), True))
        elif below[0] > 0:
            i = below[0]
            crossing = x[i - 1] + (y[i - 1] - accuracy) / (y[i - 1] - y[i]) * (x[i] - x[i - 1])
            rows.append((task, method, seed, float(numpy.exp(crossing)), False))
    return pandas.DataFrame(rows, columns=["task", "method", "seed", "compression", "beyond"])
