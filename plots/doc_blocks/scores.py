"""A table of the metric at compressions, in the metric's own unit, for tasks whose metric is not an accuracy."""

from __future__ import annotations

import pandas

from plots.doc_blocks.published import folder, named
from plots.doc_blocks.tables import NONE, table_of
from plots.metrics import metric_of
from plots.readings import read_at, seed_curves
from plots.report import shown_runs
from plots.results import measured
from plots.thresholds import Threshold


def scores(experiment: str, *levels: str) -> str:
    """Return a table of mean test scores at exactly these compressions: a line for each method.

    A penalty's cell has the score with the validated zero, and with the zero of its runs in parentheses. The runs are
    those that the report shows, so of several learning rates the chosen one.
    """
    strict, validated = (_means(experiment, threshold, levels) for threshold in (None, "validated"))
    runs = _shown(experiment)
    metric = metric_of(runs)
    penalties = set(runs.loc[runs["penalty"].notna() & (runs["knob"] != "density"), "method"])

    def cell(method: str, level: str) -> str:
        own = [means.get((method, float(level))) for means in (validated, strict)]
        texts = [NONE if mean is None else metric.text(mean) for mean in own]
        return texts[1] if method not in penalties or own == [None, None] else f"{texts[0]} ({texts[1]})"

    dense = measured(runs[runs["method"] == "dense"])["test_accuracy"].mean()
    methods = sorted({method for method, _ in validated.index} - {"dense"})
    rows = [[f"`{method}`", *(cell(method, level) for level in levels)] for method in methods]
    return table_of([f"test {metric.name} (dense: {metric.text(dense)}) at a compression of", *levels], rows)


def _means(experiment: str, threshold: Threshold | None, levels: tuple[str, ...]) -> pandas.Series:
    """Return the mean score of each method at each compression that it reaches."""
    runs = _shown(experiment, threshold)
    readings = read_at(seed_curves(runs), [float(level) for level in levels])
    return readings.groupby(["method", "at"])["test_accuracy"].mean()


def _shown(experiment: str, threshold: Threshold | None = None) -> pandas.DataFrame:
    return named(shown_runs(folder(experiment), threshold)[1], experiment)
