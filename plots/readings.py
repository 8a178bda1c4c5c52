"""Test accuracy at exactly a given compression, read between a method's own values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy
import pandas
from numpy.typing import NDArray

from plots.results import VALUE, ended

LEVELS = (5, 10, 20, 50, 100, 200, 500)  # compression ratios of tables

COMPRESSION = "compression ratio"
# The share of a dense network that is left, by the axis of which it is the inverse.
SHARES: dict[str, Callable[[pandas.DataFrame], pandas.Series]] = {
    COMPRESSION: lambda runs: runs["density"],
    "effective compression ratio": lambda runs: runs["effective_density"],
    "compression ratio over all parameters": lambda runs: 1 / runs["total_compression"],
    "theoretical speed-up": lambda runs: runs["macs_sparse"] / runs["macs_dense"],
    "file compression ratio": lambda runs: 1 / runs["file_compression"],
    "measured speed-up": lambda runs: 1 / runs["measured_speedup"],
}

Floats = NDArray[numpy.float64]
OF_SEED = ["task", "method", "seed", "asked"]


def seed_curves(runs: pandas.DataFrame, axis: str = COMPRESSION) -> pandas.DataFrame:
    """Return the points of each seed's front: task, method, value, seed, compression, test_accuracy, asked.

    There is a point at the compression of each of the method's values, which is 1 / mean density over the seeds. Its
    accuracy is the seed's own at the value that is best in mean *validation* accuracy among the values of this or a
    larger compression, so test accuracy chooses nothing. `value` is that value. A run that diverged or kept no weight
    stays in its value, at chance accuracy. A run that failed, such as one that ran out of memory, has no point. `asked`
    is the number of seeds that the method was asked for on the task. Another `axis` of SHARES takes the place of
    compression, for the runs that have it.
    """
    found = ended(runs, SHARES[axis](runs))
    lines = found.groupby(VALUE, as_index=False).agg(share=("share", "mean"), val_mean=("val_accuracy", "mean"))
    lines["compression"] = 1 / lines["share"]
    lines = lines.dropna(subset=["compression"])
    lines = lines.sort_values(["task", "method", "compression", "val_mean"], ignore_index=True)
    best = [place for _, own in lines.groupby(["task", "method"]) for place in _best_from_here(own["val_mean"])]
    front = lines[VALUE].iloc[best].assign(compression=lines["compression"].to_numpy())
    asked = runs.groupby(["task", "method"])["seed"].nunique().rename("asked").reset_index()
    points = found.drop(columns="compression").merge(front, on=VALUE).merge(asked, on=["task", "method"])
    return points[["task", "method", "value", "seed", "compression", "test_accuracy", "asked"]]


def _best_from_here(accuracies: pandas.Series) -> list[int]:
    """Return for each line the index of the best line among it and all later ones; of equal ones the last."""
    best: list[int] = []
    for place, accuracy in reversed(list(accuracies.items())):
        better = not best or accuracy > accuracies[best[-1]]
        best.append(int(str(place)) if better else best[-1])
    return best[::-1]


def _each_seed(curves: pandas.DataFrame) -> Iterator[tuple[tuple[object, ...], Floats, Floats]]:
    """Yield task, method, seed and asked of each curve with its compressions, which rise, and its test accuracies.

    Slices of arrays, since a table for each of thousands of seeds takes pandas minutes.
    """
    ordered = curves.sort_values([*OF_SEED, "compression"])
    x, y = (ordered[name].to_numpy(dtype=float) for name in ("compression", "test_accuracy"))
    seeds = list(zip(*(ordered[name].tolist() for name in OF_SEED), strict=True))
    starts = [place for place, seed in enumerate(seeds) if place == 0 or seed != seeds[place - 1]]
    for start, stop in zip(starts, [*starts[1:], len(seeds)], strict=False):
        yield seeds[start], x[start:stop], y[start:stop]


def read_at(curves: pandas.DataFrame, compressions: Sequence[float]) -> pandas.DataFrame:
    """Return the test accuracy of every seed's curve at each compression, linear in its logarithm between points.

    Columns: task, method, seed, asked, at (the compression), test_accuracy, and `between`, which is true where the
    accuracy is read more than one percent away from every point. A curve has no reading beyond its last point; before
    the first one it has the accuracy of that point, whose network is smaller still.
    """
    rows = []
    at = numpy.array(compressions, dtype=float)
    for seed, x, y in _each_seed(curves):
        accuracies = numpy.interp(numpy.log(at), numpy.log(x), y).tolist()
        between = (numpy.abs(x / at[:, None] - 1) > 0.01).all(1).tolist()
        readings = zip(compressions, accuracies, between, strict=True)
        rows += [(*seed, *reading) for reading in readings if reading[0] <= 1.01 * x[-1]]
    return pandas.DataFrame(rows, columns=[*OF_SEED, "at", "test_accuracy", "between"])


def reach(curves: pandas.DataFrame, accuracy: float) -> pandas.DataFrame:
    """Return the largest compression up to which each seed's curve keeps at least a test accuracy.

    Columns: task, method, seed, asked, compression, `beyond`, which is true where the curve ends above the accuracy,
    and `missed`, which is true where it starts below: then the compression is 1, that of the dense network. There are
    no rows if the accuracy is NaN.
    """
    rows = []
    if numpy.isnan(accuracy):
        curves = curves.head(0)
    for seed, compression, y in _each_seed(curves):
        x = numpy.log(compression)
        below = numpy.flatnonzero(y < accuracy)
        end, missed = x[-1], False
        if len(below):
            i, missed = below[0], bool(below[0] == 0)
            end = 0.0 if missed else x[i - 1] + (y[i - 1] - accuracy) / (y[i - 1] - y[i]) * (x[i] - x[i - 1])
        rows.append((*seed, float(numpy.exp(end)), not len(below), missed))
    return pandas.DataFrame(rows, columns=[*OF_SEED, "compression", "beyond", "missed"])
