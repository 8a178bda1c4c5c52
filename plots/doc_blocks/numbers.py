"""The numbers of sentences about points: accuracies, compressions, and differences between two methods."""

from __future__ import annotations

import functools

import numpy
import pandas

from benchmark.errors import UsageError
from plots.doc_blocks import published
from plots.doc_blocks.published import mean_test, points, rounded, with_spread
from plots.readings import read_at, seed_curves
from plots.statistics.accuracy import accuracy_table
from plots.thresholds import parse_threshold


def mean(experiment: str, method: str, value: str, digits: str = "1") -> str:
    """Return the mean test score of a method at a value with its unit, as in `89.9 %`."""
    return mean_test(experiment, published.point(experiment, method, value), int(digits))


def spread(experiment: str, method: str, value: str, digits: str = "1") -> str:
    """Return mean test accuracy and sample standard deviation of a method at a value, as in 89.9 ± 0.2."""
    return with_spread(published.point(experiment, method, value), int(digits))


def point(experiment: str, method: str, value: str, threshold: str = "") -> str:
    """Return mean test score and compression of a method at a value, as in `87.9 % at 37`.

    With a threshold, smaller weights of penalty runs count as zero. The compression is that of the seeds that neither
    diverged nor lost all weights.
    """
    found = published.point(experiment, method, value, threshold)
    return f"{mean_test(experiment, found)} at {rounded(found['compression'], 0)}"


def compression(experiment: str, method: str, value: str, digits: str = "0", threshold: str = "") -> str:
    """Return the compression of a method at a value, as in 1,294; a threshold is as in `point`."""
    return rounded(published.point(experiment, method, value, threshold)["compression"], int(digits))


def difference(experiment: str, method: str, value: str, other: str, other_value: str, digits: str = "1") -> str:
    """Return by how many points of mean test accuracy a method at a value is above another at its value."""
    pair = [published.point(experiment, *of)["test_mean"] for of in ((method, value), (other, other_value))]
    return rounded(pair[0] - pair[1], int(digits))


def at(experiment: str, method: str, level: str, digits: str = "1", threshold: str = "") -> str:
    """Return the mean test accuracy of a method at a compression, read between its own values if need be."""
    return rounded(_read(experiment, method, float(level), threshold), int(digits))


def lead(experiment: str, method: str, other: str, level: str, digits: str = "1") -> str:
    """Return by how many points a method is above another at a compression; both are read as in `at`."""
    return rounded(_read(experiment, method, float(level)) - _read(experiment, other, float(level)), int(digits))


def against(experiment: str, method: str, control: str, level: str, threshold: str = "", digits: str = "1") -> str:
    """Return the difference to a control, or to `dense`, at a compression, as in `+1.9 [+1.4, +2.4]`.

    The interval is Dunnett's, simultaneous over the methods within 5 points of the best. A threshold is as in `point`,
    or `validated`. Raises UsageError if the method has none there.
    """
    table = comparison(experiment, "" if control == "dense" else control, level, threshold)
    return interval(table, method, control, f"{experiment} at {level}", digits)


def differs(
    experiment: str, epochs: str, method: str, control: str, level: str, threshold: str = "", digits: str = "1"
) -> str:
    """Return what `against` does of the runs of one number of epochs, for an experiment on budgets."""
    table = comparison(experiment, "" if control == "dense" else control, level, threshold, epochs)
    return interval(table, method, control, f"{experiment} after {epochs} epochs at {level}", digits)


def interval(table: pandas.DataFrame, method: str, control: str, where: str, digits: str) -> str:
    """Return the difference of a method to a control with its interval, from lines of `comparison`.

    Raises UsageError, which says where, if there is none.
    """
    first = "above_dense" if control == "dense" else "difference"
    columns = [first, f"{first}_low", f"{first}_high"]
    if method not in table.index or table.loc[method, columns].isna().any():
        raise UsageError(f"{where} has no interval of {method} against {control}")
    found, low, high = (f"{table[column][method]:+.{digits}f}" for column in columns)
    return f"{found} [{low}, {high}]"


@functools.cache
def comparison(experiment: str, control: str, level: str, threshold: str, epochs: str = "") -> pandas.DataFrame:
    """Return the lines of `accuracy_table` at one compression, by method; a threshold is as in `against`.

    With `epochs`, only runs of so many count.
    """
    runs = published.runs(experiment, parse_threshold(threshold) if threshold else None)
    runs = runs[runs["epochs"] == float(epochs)] if epochs else runs
    return accuracy_table(read_at(seed_curves(runs), [float(level)]), runs, control).set_index("method")


def top(experiment: str, level: str, threshold: str = "") -> str:
    """Return the methods that cannot be told from the best at a compression, by mean, as in `pwd[p=0.8]`, `gmp`."""
    table = comparison(experiment, "", level, threshold)
    names = table[table["top"]].sort_values("mean", ascending=False).index
    return ", ".join(f"`{name}`" for name in names)


def _read(experiment: str, method: str, level: float, threshold: str = "") -> float:
    """Return the mean test accuracy at a compression, linear in its logarithm between the two nearest values."""
    table = points(experiment, parse_threshold(threshold) if threshold else None)
    own = table[(table["method"] == method) & numpy.isfinite(table["compression"])].sort_values("compression")
    if own.empty or not 0.99 * own["compression"].min() <= level <= 1.01 * own["compression"].max():
        raise UsageError(f"{experiment} does not reach a compression of {level:g} with {method}")
    return float(numpy.interp(numpy.log(level), numpy.log(own["compression"]), own["test_mean"]))
