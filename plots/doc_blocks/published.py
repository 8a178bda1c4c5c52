"""The published runs, their points, and numbers as the documentation writes them.

Blocks name an experiment, or one task of an experiment, as in short-cifar10/vgg16-cifar10.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy
import pandas

from benchmark.errors import UsageError
from plots.metrics import Metric, task_metrics
from plots.results import AT_SETTING, VALUE, load, measured, of_task
from plots.summaries import summary
from plots.thresholds import Threshold, parse_threshold

REFERENCE = Path("results") / "reference"


def folder(experiment: str) -> Path:
    """Return the folder of a published experiment. Raises UsageError if there is none."""
    path = REFERENCE / experiment.partition("/")[0]
    if not path.is_dir():
        there = ", ".join(sorted(path.name for path in REFERENCE.glob("*"))) or "none"
        raise UsageError(f"there are no published results of {experiment!r}; experiments are {there}")
    return path


def named(runs: pandas.DataFrame, experiment: str) -> pandas.DataFrame:
    """Return the runs of the task that an experiment is named with, or all. Raises UsageError if it has none of it."""
    task = experiment.partition("/")[2]
    return of_task(runs, task) if task else runs


@functools.cache
def runs(experiment: str, threshold: Threshold | None = None) -> pandas.DataFrame:
    """Return the runs of a published experiment, those at several learning rates included."""
    compared = any(
        (folder(experiment) / name).is_file()
        for name in ("learning_rates.csv", "trials.csv", "objectives.csv", "budgets.csv")
    )
    return named(load(folder(experiment), threshold, AT_SETTING if compared else VALUE), experiment)


@functools.cache
def points(experiment: str, threshold: Threshold | None = None) -> pandas.DataFrame:
    """Return the summary of a published experiment, with medians in the columns `median` and `median_compression`."""
    table = named(load(folder(experiment), threshold), experiment)
    medians = (
        measured(table).groupby(["task", "method", "value"], as_index=False)[["test_accuracy", "density"]].median()
    )
    medians = medians.rename(columns={"test_accuracy": "median", "density": "median_density"})
    lines = summary(table).merge(medians, on=["task", "method", "value"])
    lines["median_compression"] = 1 / lines["median_density"].replace(0, numpy.nan)
    return lines


def matching(table: pandas.DataFrame, experiment: str, method: str, **values: str) -> pandas.DataFrame:
    """Return the lines of a method at given values of columns; an empty value matches all.

    Raises UsageError, with the values that exist, if there are no such lines.
    """
    own = table[table["method"] == method]
    if own.empty:
        raise UsageError(f"{experiment} has no run of {method}")
    for column, text in values.items():
        found = own[numpy.isclose(own[column], float(text))] if text else own
        if found.empty:
            there = ", ".join(f"{number:g}" for number in own[column].unique())
            raise UsageError(f"{experiment} has no {method} with {column} {text}; there are {there}")
        own = found
    return own


def point(experiment: str, method: str, value: str, threshold: str = "") -> pandas.Series:
    """Return the line of a summary for a method at a value."""
    table = points(experiment, parse_threshold(threshold) if threshold else None)
    return matching(table, experiment, method, value=value).iloc[0]


def mean_test(experiment: str, line: pandas.Series, digits: int = 1) -> str:
    """Write the mean test score of a line of a summary, as in `31.0 % (1 of 2 seeds at chance)`.

    A seed that diverged or kept no weight counts at chance, which the text says: no compression is a mean over it.
    """
    text = scored(task_metrics(runs(experiment))[line["task"]], line["test_mean"], digits)
    return f"{text} ({line['missed']} of {line['n']} seeds at chance)" if line["missed"] else text


def scored(metric: Metric, score: float, digits: int = 1) -> str:
    """Write a score with the unit of its metric; accuracies have so many digits."""
    return f"{rounded(score, digits)} %" if metric.is_accuracy else f"{metric.text(score)} {metric.name}"


def with_spread(line: pandas.Series, digits: int) -> str:
    """Write mean test accuracy and, from two seeds on, its sample standard deviation."""
    text = rounded(line["test_mean"], digits)
    return f"{text} ± {rounded(line['test_std'], digits)}" if line["n"] > 1 else text


def rounded(number: float, digits: int) -> str:
    """Round half up: 88.05, the mean of three accuracies, is 88.1 although its nearest float is a little smaller."""
    return f"{numpy.floor(number * 10**digits + 0.5 + 1e-6) / 10**digits:,.{digits}f}"
