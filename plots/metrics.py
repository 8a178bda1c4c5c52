"""The metric of a task: accuracy, or another one whose runs go through the same tables and figures.

The columns val_accuracy and test_accuracy of a loaded table hold scores, of which more is better: accuracy in percent,
or the task's metric, with a minus sign where less of it is better. Texts and axes show the metric itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy
import pandas

SIGNS = {"higher": 1.0, "lower": -1.0}
CHANCE = 10.0  # percent, in rows of older versions, whose tasks have ten classes


@dataclass(frozen=True)
class Metric:
    """The metric of one task."""

    name: str
    sign: float
    chance: float  # a score

    @property
    def is_accuracy(self) -> bool:
        return self.name == "accuracy"

    def text(self, score: float) -> str:
        """Write a score as a value of the metric."""
        return f"{score:.2f}" if self.is_accuracy else f"{self.sign * score:.3f}"

    def margin(self, loss: float, score: float) -> float:
        """Return a loss as a difference of scores: in points of accuracy, or in percent of another metric's value."""
        return loss if self.is_accuracy else abs(score) * loss / 100


ACCURACY = Metric("accuracy", 1.0, CHANCE)


def metric_of(runs: pandas.DataFrame) -> Metric:
    """Return the metric of the runs of one task."""
    if runs.empty:
        return ACCURACY
    first = runs.iloc[0]
    sign = SIGNS.get(first["better"], 1.0)
    chance = runs["chance"].max()
    return Metric(first["metric"], sign, CHANCE if numpy.isnan(chance) else sign * float(chance))


def with_scores(table: pandas.DataFrame, better: pandas.Series) -> pandas.DataFrame:
    """Return a table whose val_accuracy and test_accuracy hold scores; `better` is higher or lower for each row."""
    sign = better.map(SIGNS)
    scores = {f"{split}_accuracy": sign * table[f"{split}_metric"] for split in ("val", "test")}
    return table.assign(**{name: table[name].fillna(score) for name, score in scores.items()})


def unit_of_loss(runs: pandas.DataFrame) -> str:
    """Name the unit in which `Metric.margin` takes the losses of all tasks of the runs."""
    metrics = {metric_of(own) for _, own in runs.groupby("task")}
    others = sorted(f"% of test {metric.name}" for metric in metrics if not metric.is_accuracy)
    points = ["points of test accuracy"] * any(metric.is_accuracy for metric in metrics)
    return " or ".join([*points, *dict.fromkeys(others)])
