"""Accuracy at exactly given compressions: means, and differences to a control and to dense with their intervals."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy
import pandas

from plots.comparisons import NEAR, differences, equivalent, intervals, near_best, top_group
from plots.metrics import Metric, task_metrics
from plots.results import measured

CONTROL = "gmp"
MARGIN = 0.5  # points of test accuracy, or percent of another metric, within which two methods are called equivalent
COLUMNS = [
    *("task", "compression", "method", "metric", "n", "asked", "mean", "low", "high", "top"),
    *("control", "difference", "difference_low", "difference_high", "margin", "equivalent"),
    *("above_dense", "above_dense_low", "above_dense_high"),
]


def accuracy_table(
    readings: pandas.DataFrame, runs: pandas.DataFrame, control: str = CONTROL, margin: float = MARGIN
) -> pandas.DataFrame:
    """Return one line for each task, compression and method of `plots.readings.read_at`.

    n of the asked seeds have a reading; mean, low and high are their mean and its 95 % interval with the pooled
    variance, as values of the metric. `difference` is to the control and `above_dense` to the dense runs among `runs`,
    in points of accuracy or in percent of their mean of another metric, positive where the method is better, with
    Dunnett's simultaneous 95 % intervals; the percentage takes their mean as known. `equivalent` is true where two
    one-sided tests find the method within `margin` of the control. `top` marks the top group. Methods far below the
    best, which `near_best` leaves out, have means and differences without intervals; those with a single reading have
    a mean alone.
    """
    metrics = task_metrics(runs)
    dense = measured(runs[runs["method"] == "dense"]).groupby("task")["test_accuracy"].agg(list)
    parts = []
    for (task, at), here in readings.groupby(["task", "at"]):
        samples = {str(method): own["test_accuracy"].tolist() for method, own in here.groupby("method")}
        metric = metrics[str(task)]
        best = max(float(numpy.mean(sample)) for sample in samples.values())
        several = {name: sample for name, sample in samples.items() if len(sample) > 1}
        near = near_best(several, metric.margin(NEAR, best))
        table = here.groupby("method").agg(n=("seed", "size"), asked=("asked", "max"), mean=("test_accuracy", "mean"))
        table = metric.values(table.join(intervals(near)[["low", "high"]]), "mean", "low", "high")
        if metric.sign < 0:
            table[["low", "high"]] = table[["high", "low"]].to_numpy()
        table["top"] = table.index.isin(top_group(near))
        full = several | ({"dense": dense[str(task)]} if len(dense.get(task, [])) > 1 else {})
        for base, name in ((control, "difference"), ("dense", "above_dense")):
            found = _against(base, full, near if base == control else {*near, "dense"}, metric)
            table = table.join(found.rename(columns={"mean": name, "low": f"{name}_low", "high": f"{name}_high"}))
        if control in several:
            table["control"] = control
        if control in near:
            table["margin"] = margin
            same = equivalent(_gains(near, control, metric), control, margin)
            table.loc[list(near), "equivalent"] = table.loc[list(near)].index.isin(same)
            table.loc[control, "equivalent"] = numpy.nan
        parts.append(table.reset_index().assign(task=str(task), compression=float(str(at)), metric=metric.name))
    if not parts:
        return pandas.DataFrame(columns=COLUMNS)
    return pandas.concat([part.reindex(columns=COLUMNS) for part in parts], ignore_index=True)


def _against(
    base: str, samples: Mapping[str, Sequence[float]], near: Collection[str], metric: Metric
) -> pandas.DataFrame:
    """Return the mean gains over one sample, with the intervals of those near the best if the sample is near it too."""
    if base not in samples:
        return pandas.DataFrame(columns=["mean", "low", "high"], dtype=float)
    gains = _gains(samples, base, metric)
    table = pandas.DataFrame({"mean": {name: numpy.mean(gain) for name, gain in gains.items() if name != base}})
    close = {name: gain for name, gain in gains.items() if name in near} if base in near else {base: gains[base]}
    return table.join(differences(close, base)[["low", "high"]])


def _gains(samples: Mapping[str, Sequence[float]], base: str, metric: Metric) -> dict[str, Sequence[float]]:
    """Return samples of gains over the mean of one of them."""
    mean = float(numpy.mean(samples[base]))
    return {name: metric.gain(pandas.Series(sample), mean).tolist() for name, sample in samples.items()}
