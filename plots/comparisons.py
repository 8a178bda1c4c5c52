"""Confidence intervals of means and of differences between methods, with the variance pooled over methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy
import pandas
from scipy import special

from plots.simultaneous import dunnett_critical, tukey_critical

LEVEL = 0.95
NEAR = 5.0  # points below the best, or percent of another metric, within which methods are compared


def pooled(samples: Mapping[str, Sequence[float]]) -> tuple[float, int]:
    """Return the standard deviation within samples, pooled, and its degrees of freedom; NaN if there are none."""
    freedom = sum(len(sample) - 1 for sample in samples.values())
    squares = sum(float(((numpy.asarray(sample) - numpy.mean(sample)) ** 2).sum()) for sample in samples.values())
    return (squares / freedom) ** 0.5 if freedom else numpy.nan, freedom


def intervals(samples: Mapping[str, Sequence[float]]) -> pandas.DataFrame:
    """Return n, mean and 95 % interval of the mean of each sample, by t with the pooled variance."""
    deviation, freedom = pooled(samples)
    quantile = special.stdtrit(freedom, (1 + LEVEL) / 2) if freedom else numpy.nan
    rows = []
    for name, sample in samples.items():
        mean, half = float(numpy.mean(sample)), quantile * deviation / len(sample) ** 0.5
        rows.append((name, len(sample), mean, mean - half, mean + half))
    return pandas.DataFrame(rows, columns=["method", "n", "mean", "low", "high"]).set_index("method")


def differences(samples: Mapping[str, Sequence[float]], control: str, level: float = LEVEL) -> pandas.DataFrame:
    """Return each sample's mean minus the control's, with simultaneous intervals by Dunnett's test.

    C. W. Dunnett, JASA 1955: all intervals cover at once with the probability `level`. Columns: difference, low, high.
    Without a second run of any method the intervals are NaN.
    """
    others = {name: sample for name, sample in samples.items() if name != control}
    means = {name: float(numpy.mean(sample) - numpy.mean(samples[control])) for name, sample in others.items()}
    table = pandas.DataFrame({"difference": means, "low": numpy.nan, "high": numpy.nan})
    deviation, freedom = pooled(samples)
    if others and deviation > 0:
        sizes, n = [len(sample) for sample in others.values()], len(samples[control])
        errors = deviation * (1 / numpy.array(sizes) + 1 / n) ** 0.5
        half = dunnett_critical(tuple(sorted(sizes)), n, freedom, level) * errors
        table["low"], table["high"] = table["difference"] - half, table["difference"] + half
    return table


def equivalent(samples: Mapping[str, Sequence[float]], control: str, margin: float) -> set[str]:
    """Return the samples whose means are within a margin of the control's, by two one-sided tests for each.

    D. J. Schuirmann, J. Pharmacokinet. Biopharm. 1987, at a family-wise 5 %: the simultaneous interval at 90 % lies
    within the margin. A sample that is not returned may be equivalent too.
    """
    table = differences(samples, control, 2 * LEVEL - 1)
    return set(table.index[(table["low"] > -margin) & (table["high"] < margin)])


def top_group(samples: Mapping[str, Sequence[float]]) -> set[str]:
    """Return the samples that cannot be told from the one of largest mean, by Tukey's test at a family-wise 5 %.

    If all samples have one mean, all are in the group in 95 % of cases. Empty without a second run of any method.
    """
    best = max(samples, key=lambda name: float(numpy.mean(samples[name])), default="")
    deviation, freedom = pooled(samples)
    if not freedom:
        return set()
    critical = tukey_critical(max(len(samples), 2), freedom, LEVEL)
    top, n = float(numpy.mean(samples[best])), len(samples[best])
    return {
        name
        for name, sample in samples.items()
        if top - float(numpy.mean(sample)) <= critical * deviation * (1 / n + 1 / len(sample)) ** 0.5
    }


def near_best(samples: Mapping[str, Sequence[float]], points: float = NEAR) -> dict[str, Sequence[float]]:
    """Return the samples whose means are at most `points` below the largest.

    Methods that collapse scatter by tens of points; pooled with the others, they would hide every difference.
    """
    best = max((float(numpy.mean(sample)) for sample in samples.values()), default=0.0)
    return {name: sample for name, sample in samples.items() if float(numpy.mean(sample)) >= best - points}
