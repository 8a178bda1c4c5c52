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

    def gain(self, score: pandas.Series, reference: float | pandas.Series) -> pandas.Series:
        """Return how much better scores are than a reference: in points, or in percent of another metric's value."""
        return score - reference if self.is_accuracy else 100 * (score - reference) / numpy.abs(reference)

    def values(self, table: pandas.DataFrame, *columns: str) -> pandas.DataFrame:
        """Return a table whose columns hold values of the metric where they held scores."""
        return table.assign(**{name: self.sign * table[name] for name in columns})

    def better_than(self, name: str) -> str:
        """Return the label of an axis of gains over something of this name."""
        return (
            f"points of test accuracy above {name}" if self.is_accuracy else f"% better than {name} in {self.directed}"
        )

    @property
    def label(self) -> str:
        """The label of an axis of the metric on test data."""
        return self.label_on("test")

    def label_on(self, split: str) -> str:
        """Return the label of an axis of the metric on a split of the data, `test` or `validation`."""
        return f"{split} accuracy in %" if self.is_accuracy else f"{split} {self.directed}"

    def narrow_label_on(self, split: str) -> str:
        """Return the label of `label_on` in lines, for a small panel."""
        return self.label_on(split).replace(" ", "\n", 1).replace(" (", "\n(")

    @property
    def unit(self) -> str:
        return "points" if self.is_accuracy else "%"

    @property
    def directed(self) -> str:
        return self.name if self.is_accuracy else f"{self.name} ({'higher' if self.sign > 0 else 'lower'} is better)"


ACCURACY = Metric("accuracy", 1.0, CHANCE)


def metric_of(runs: pandas.DataFrame) -> Metric:
    """Return the metric of the runs of one task."""
    if runs.empty:
        return ACCURACY
    first = runs.iloc[0]
    sign = SIGNS.get(first["better"], 1.0)
    chance = runs["chance"].max()
    return Metric(first["metric"], sign, CHANCE if numpy.isnan(chance) else sign * float(chance))


def task_metrics(runs: pandas.DataFrame) -> dict[str, Metric]:
    """Return the metric of each task of the runs."""
    few = runs.filter(
        items=["task", "metric", "better", "chance"]
    )  # to copy all columns takes long where there are many runs
    return {str(task): metric_of(own) for task, own in few.groupby("task")}


def with_scores(table: pandas.DataFrame, better: pandas.Series) -> pandas.DataFrame:
    """Return a table whose val_accuracy and test_accuracy hold scores; `better` is higher or lower for each row."""
    sign = better.map(SIGNS)
    scores = {f"{split}_accuracy": sign * table[f"{split}_metric"] for split in ("val", "test")}
    return table.assign(**{name: table[name].fillna(score) for name, score in scores.items()})


def with_values(table: pandas.DataFrame, runs: pandas.DataFrame, *columns: str) -> pandas.DataFrame:
    """Return a table with a column `task` whose columns hold values of the metric where they held scores."""
    signs = table["task"].map({task: metric.sign for task, metric in task_metrics(runs).items()})
    return table.assign(**{name: signs * table[name] for name in columns})


def metrics_of(runs: pandas.DataFrame) -> list[Metric]:
    """Return the metrics of the tasks of the runs, each once, accuracy first."""
    found = list(task_metrics(runs).values()) or [ACCURACY]
    return sorted(
        {metric.name: metric for metric in found}.values(), key=lambda each: (not each.is_accuracy, each.name)
    )


def named(runs: pandas.DataFrame) -> str:
    """Name the metrics of the tasks of the runs, as in `accuracy or bits per character`."""
    return " or ".join(metric.name for metric in metrics_of(runs))


def chances(runs: pandas.DataFrame) -> str:
    """Name what a run that diverged or kept no weight counts as, as in `10 %` or `5.000 bits per character`."""
    texts = {
        f"{metric.chance:g} %" if metric.is_accuracy else f"{metric.text(metric.chance)} {metric.name}"
        for metric in task_metrics(runs).values()
    }
    return " or ".join(sorted(texts))
