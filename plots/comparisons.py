"""Confidence intervals of means and of differences between methods, with the variance pooled over methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy
import pandas
from scipy import stats

LEVEL = 0.95


def pooled(samples: Mapping[str, Sequence[float]]) -> tuple[float, int]:
    """Return the standard deviation within samples, pooled, and its degrees of freedom; NaN if there are none."""
    freedom = sum(len(sample) - 1 for sample in samples.values())
    squares = sum(float(((numpy.asarray(sample) - numpy.mean(sample)) ** 2).sum()) for sample in samples.values())
    return (squares / freedom) ** 0.5 if freedom else numpy.nan, freedom


def intervals(samples: Mapping[str, Sequence[float]]) -> pandas.DataFrame:
    """Return n, mean and 95 % interval of the mean of each sample, by t with the pooled variance."""
    deviation, freedom = pooled(samples)
    quantile = stats.t.ppf((1 + LEVEL) / 2, freedom) if freedom else numpy.nan
    rows = []
    for name, sample in samples.items():
        mean, half = float(numpy.mean(sample)), quantile * deviation / len(sample) ** 0.5
        rows.append((name, len(sample), mean, mean - half, mean + half))
    return pandas.DataFrame(rows, columns=["method", "n", "mean", "low", "high"]).set_index("method")


def differences(samples: Mapping[str, Sequence[float]], control: str) -> pandas.DataFrame:
    """Return each sample's mean minus the control's, with simultaneous 95 % intervals by Dunnett's test.

    C. W. Dunnett, JASA 1955, by scipy.stats.dunnett: with 95 % probability all intervals cover at once. Columns:
    difference, low, high. Without a second run of any method the intervals are NaN.
    """
    others = {name: list(sample) for name, sample in samples.items() if name != control}
    means = {name: float(numpy.mean(sample) - numpy.mean(samples[control])) for name, sample in others.items()}
    table = pandas.DataFrame({"difference": means, "low": numpy.nan, "high": numpy.nan})
    if others and pooled(samples)[0] > 0:
        # The critical values are integrated by quasi-Monte Carlo; a fixed seed gives the same interval again.
        test = stats.dunnett(*others.values(), control=list(samples[control]), rng=numpy.random.default_rng(0))
        found = test.confidence_interval(LEVEL)
        table["low"], table["high"] = found.low, found.high
    return table


def top_group(samples: Mapping[str, Sequence[float]]) -> set[str]:
    """Return the samples that cannot be told from the one of largest mean, by Tukey's test at a family-wise 5 %.

    If all samples have one mean, all are in the group in 95 % of cases. Empty without a second run of any method.
    """
    best = max(samples, key=lambda name: float(numpy.mean(samples[name])), default="")
    deviation, freedom = pooled(samples)
    if not freedom:
        return set()
    critical = _critical(max(len(samples), 2), freedom)
    top, n = float(numpy.mean(samples[best])), len(samples[best])
    return {
        name
        for name, sample in samples.items()
        if top - float(numpy.mean(sample)) <= critical * deviation * (1 / n + 1 / len(sample)) ** 0.5
    }


@cache  # it takes a second, and reports ask for the same one again
def _critical(samples: int, freedom: int) -> float:
    """Return the critical value of Tukey's test in standard errors of a difference."""
    return float(stats.studentized_range.ppf(LEVEL, samples, freedom)) / 2**0.5


def near_best(samples: Mapping[str, Sequence[float]], points: float = 5.0) -> dict[str, Sequence[float]]:
    """Return the samples whose means are at most `points` below the largest.

    Methods that collapse scatter by tens of points; pooled with the others, they would hide every difference.
    """
    best = max((float(numpy.mean(sample)) for sample in samples.values()), default=0.0)
    return {name: sample for name, sample in samples.items() if float(numpy.mean(sample)) >= best - points}


def comparison_table(readings: pandas.DataFrame, control: str) -> pandas.DataFrame:
    """Return one line for each task, compression and method of `plots.readings.read_at`.

    Columns: n, mean, low and high are seeds, mean and 95 % interval with the pooled variance; difference,
    difference_low and difference_high are to the control, by Dunnett's test; `top` marks the top group. Methods far
    below the best, which `near_best` leaves out, have a mean alone.
    """
    parts = []
    for (task, at), here in readings.groupby(["task", "at"]):
        samples = {str(method): own["test_accuracy"].tolist() for method, own in here.groupby("method")}
        near = near_best({name: sample for name, sample in samples.items() if len(sample) > 1})
        table = pandas.DataFrame({name: (len(sample), numpy.mean(sample)) for name, sample in samples.items()}).T
        table = table.set_axis(["n", "mean"], axis=1).rename_axis("method").join(intervals(near)[["low", "high"]])
        if control in near:
            table = table.join(differences(near, control).add_prefix("difference_"))
            table = table.rename(columns={"difference_difference": "difference"})
        table["top"] = table.index.isin(top_group(near))
        parts.append(table.reset_index().assign(task=str(task), compression=float(str(at)), n=table["n"].astype(int)))
    columns = ["task", "compression", "method", "n", "mean", "low", "high"]
    columns += ["difference", "difference_low", "difference_high", "top"]
    return (
        pandas.concat(parts, ignore_index=True).reindex(columns=columns) if parts else pandas.DataFrame(columns=columns)
    )
