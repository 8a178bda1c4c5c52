"""Hypervolume: one number for a whole front, with the reference that it depends on."""

from __future__ import annotations

import numpy
import pandas

from plots.comparisons import intervals, near_best, top_group
from plots.metrics import task_metrics
from plots.readings import seeds_alike
from plots.results import measured

LOSS = 10.0  # points below dense, or percent of another metric, at the lower edge
FARTHEST = 500.0  # compression; larger ones count as this one
SCATTER = 25.0  # percent below the best within which variances are pooled
COLUMNS = [
    *("task", "method", "n", "asked", "hypervolume", "low", "high", "top"),
    *("reference_compression", "reference", "farthest_compression", "dense"),
]


def hypervolume_table(curves: pandas.DataFrame, runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return one line for each task and method of `plots.readings.seed_curves`.

    `hypervolume` is the mean over n seeds of the area that a seed's points dominate in the plane of log compression and
    test accuracy, in percent of the rectangle from the reference, compression 1 and dense's mean minus 10 points, to
    compression 500 and dense's mean. Fronts beyond 500 gain nothing, and those above dense may have more than 100. low
    and high are the 95 % interval of the mean with the variance pooled over the methods within 25 of the best, among
    which `top` marks the top group. Tasks without a dense run have no lines.
    """
    dense = measured(runs[runs["method"] == "dense"]).groupby("task")["test_accuracy"].mean()
    metrics = task_metrics(runs)
    parts = [pandas.DataFrame(columns=COLUMNS)]
    for task, here in curves[curves["task"].isin(dense.index)].groupby("task"):
        full = float(dense[task])
        metric = metrics[str(task)]
        margin = metric.margin(LOSS, full)
        whole = numpy.log(FARTHEST) * margin
        areas = _areas(here, full - margin)
        samples = {str(method): (100 * own / whole).tolist() for method, own in areas.groupby("method")["area"]}
        near = near_best({name: sample for name, sample in samples.items() if len(sample) > 1}, SCATTER)
        table = here.groupby("method").agg(n=("seed", "nunique"), asked=("asked", "max"))
        table["hypervolume"] = [float(numpy.mean(samples[str(method)])) for method in table.index]
        table = table.join(intervals(near)[["low", "high"]])
        table["top"] = table.index.isin(top_group(near))
        table = table.assign(
            task=task, reference_compression=1, reference=full - margin, farthest_compression=FARTHEST, dense=full
        )
        table = metric.values(table, "reference", "dense")
        parts.append(table.reset_index().sort_values("hypervolume", ascending=False)[COLUMNS])
    return pandas.concat(parts if len(parts) == 1 else parts[1:], ignore_index=True)


def _areas(curves: pandas.DataFrame, least: float) -> pandas.DataFrame:
    """Return the seeds in order, with the area that the points of each dominate."""
    parts = []
    for seeds, compressions, y in seeds_alike(curves):
        x = numpy.log(compressions.clip(max=FARTHEST))
        # As moocore.hypervolume, of many seeds at once: at each compression, the best accuracy from there on counts.
        best = numpy.maximum.accumulate(y[:, ::-1], axis=1)[:, ::-1]
        parts.append(seeds.assign(area=(best - least).clip(min=0) @ numpy.diff(x, prepend=0.0)))
    return pandas.concat(parts).sort_index()
