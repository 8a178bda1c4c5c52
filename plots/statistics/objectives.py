"""Objectives of methods, compared with those that the factors of deep weight factorization reach."""

from __future__ import annotations

import warnings

import numpy
import pandas
from scipy import stats

SHARED = ["task", "exponent", "penalty"]
COLUMNS = ["to_factors", "to_factors_low", "to_factors_high"]


def to_factors(lines: pandas.DataFrame) -> pandas.DataFrame:
    """Return for each method and penalty of `lines` the ratio of its objective to that of `dwf`, of geometric means.

    Its 95 % interval is Welch's for the difference of logarithms, runs unpaired; it is NaN where either has one seed.
    `lines` has one run a line: task, exponent, penalty, method and objective.
    """
    rows = []
    for place, own in lines.groupby(SHARED):
        factors = numpy.log(own.loc[own["method"].str.startswith("dwf"), "objective"])
        for method, runs in own.groupby("method"):
            if len(factors) and not str(method).startswith("dwf"):
                rows.append((*place, method, *_ratio(numpy.log(runs["objective"]), factors)))
    return pandas.DataFrame(rows, columns=[*SHARED, "method", *COLUMNS])


def _ratio(logs: pandas.Series, factors: pandas.Series) -> tuple[float, float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # one seed has no variance
        interval = stats.ttest_ind(logs, factors, equal_var=False).confidence_interval(0.95)
    ratio, low, high = numpy.exp([logs.mean() - factors.mean(), interval.low, interval.high])
    return float(ratio), float(low), float(high)
