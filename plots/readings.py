"""Test accuracy at exactly a given compression, read between a method's own values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

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


def seeds_alike(curves: pandas.DataFrame) -> Iterator[tuple[pandas.DataFrame, Floats, Floats]]:
    """Yield the seeds that have points at the same compressions, as most seeds of a method do.

    The first part has a line for each seed, with the columns OF_SEED. The others are the compressions [points], which
    rise, and the test accuracies [seeds, points]. Arrays take a thousandth of the time of a table for each seed. The
    index tells the place of a seed in the order by OF_SEED.
    """
    ordered = curves.sort_values([*OF_SEED, "compression"], ignore_index=True)
    x, y = (ordered[name].to_numpy(dtype=float) for name in ("compression", "test_accuracy"))
    seeds = ordered[OF_SEED].drop_duplicates()
    starts = seeds.index.to_numpy()
    alike: dict[bytes, list[int]] = {}
    for place, (start, stop) in enumerate(pairwise([*starts.tolist(), len(x)])):
        alike.setdefault(x[start:stop].tobytes(), []).append(place)
    for compressions, places in alike.items():
        own = numpy.frombuffer(compressions)
        yield seeds.iloc[places], own, y[starts[places][:, None] + numpy.arange(len(own))]


def read_at(curves: pandas.DataFrame, compressions: Sequence[float]) -> pandas.DataFrame:
    """Return the test accuracy of every seed's curve at each compression, linear in its logarithm between points.

    Columns: task, method, seed, asked, at (the compression), test_accuracy, and `between`, which is true where the
    accuracy is read more than one percent away from every point. A curve has no reading beyond its last point; before
    the first one it has the accuracy of that point, whose network is smaller still.
    """
    parts = [pandas.DataFrame(columns=[*OF_SEED, "at", "test_accuracy", "between"])]
    every = numpy.array(compressions)
    for seeds, x, y in seeds_alike(curves):
        at = every[every <= 1.01 * x[-1]]
        read = {
            "at": numpy.tile(at, len(y)),
            "test_accuracy": _interpolated(numpy.log(at), numpy.log(x), y).ravel(),
            "between": numpy.tile((numpy.abs(x / at[:, None] - 1) > 0.01).all(1), len(y)),
        }
        parts.append(seeds.loc[seeds.index.repeat(len(at))].assign(**read))
    return pandas.concat(parts[1:] or parts).sort_index(kind="stable").reset_index(drop=True)


def _interpolated(at: Floats, x: Floats, y: Floats) -> Floats:
    """Return what `numpy.interp` gives at some places for each of many curves y [curves, points]."""
    left = numpy.clip(numpy.searchsorted(x, at, side="right") - 1, 0, len(x) - 1)
    right = numpy.minimum(left + 1, len(x) - 1)
    inside = (at > x[0]) & (at < x[-1])
    slope = (y[:, right] - y[:, left]) / numpy.where(inside, x[right] - x[left], 1)
    return y[:, left] + numpy.where(inside, slope * (at - x[left]), 0)


def reach(curves: pandas.DataFrame, accuracies: Sequence[float]) -> list[pandas.DataFrame]:
    """Return for each test accuracy the largest compression up to which each seed's curve keeps at least this.

    Columns: task, method, seed, asked, compression, `beyond`, which is true where the curve ends above the accuracy,
    and `missed`, which is true where it starts below: then the compression is 1, that of the dense network. There are
    no rows if the accuracy is NaN.
    """
    nothing = pandas.DataFrame(columns=[*OF_SEED, "compression", "beyond", "missed"])
    parts: list[list[pandas.DataFrame]] = [[nothing] for _ in accuracies]
    for seeds, compressions, y in seeds_alike(curves):
        x = numpy.log(compressions)
        for own, accuracy in zip(parts, accuracies, strict=True):
            below = y < accuracy
            ends, missed = numpy.all(~below, axis=1), below[:, 0]
            end = numpy.where(missed, 0.0, x[-1])
            (seed,) = numpy.nonzero(~ends & ~missed)
            i = below[seed].argmax(axis=1)
            above, under = y[seed, i - 1], y[seed, i]
            end[seed] = x[i - 1] + (above - accuracy) / (above - under) * (x[i] - x[i - 1])
            if not numpy.isnan(accuracy):
                own.append(seeds.assign(compression=numpy.exp(end), beyond=ends, missed=missed))
    return [pandas.concat(own[1:] or own).sort_index().reset_index(drop=True) for own in parts]
