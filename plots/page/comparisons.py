"""The bands of points below dense and the differences between methods for the page, by count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas

from plots.figures.below_dense import READ, bands, best_methods, points_above_dense
from plots.page.columns import packed
from plots.readings import LEVELS, read_at, seed_curves
from plots.statistics.accuracy import accuracy_table

SHOWN = READ[::3]  # the compressions of a figure of points below dense that a page shows
LEFT_OUT = ["metric", "margin", "control"]


def comparisons(counts: Mapping[str, pandas.DataFrame]) -> dict[str, Any]:
    """Return by count the table statistics/accuracy.csv, and the bands of points below dense.

    `counts` is that of `plots.page.boards`.
    """
    found: dict[str, Any] = {}
    for count, runs in counts.items():
        readings = points_above_dense(runs, SHOWN)
        drawn = bands(readings, best_methods(readings, runs))
        drawn[["mean", "low", "high"]] = drawn[["mean", "low", "high"]].astype(float).round(3)
        accuracy = accuracy_table(read_at(seed_curves(runs[runs["method"] != "dense"]), LEVELS), runs)
        numbers = accuracy.select_dtypes(float).columns
        accuracy[numbers] = accuracy[numbers].map(
            lambda number: float(f"{number:.6g}")
        )  # as statistics/accuracy.csv has them
        found[count] = {"bands": packed(drawn), "differences": packed(accuracy.drop(columns=LEFT_OUT))}
    return found
