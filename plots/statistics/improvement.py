"""The probability that a run of one method is better than a run of another at the same compression."""

from __future__ import annotations

import numpy
import pandas

COLUMNS = ["method", "control", "compared", "n", "asked", "probability"]


def improvement_table(readings: pandas.DataFrame, control: str) -> pandas.DataFrame:
    """Return one line for each method of `plots.readings.read_at` that shares a task and compression with the control.

    `probability` is that of a random seed of the method being more accurate than a random seed of the control, ties
    counted as half: the statistic of Mann and Whitney, as mean over the `compared` pairs of task and compression that
    both reach (Agarwal et al., NeurIPS 2021). n counts the method's readings there, and `asked` those that all its
    seeds would have wherever the control has one on these tasks. It has no interval: with a few seeds a bootstrap,
    which they propose, covers far less than it says.
    """
    own = readings[readings["method"] == control]
    base = {cell: numpy.sort(of_cell["test_accuracy"].to_numpy(float)) for cell, of_cell in own.groupby(["task", "at"])}
    reached = own.groupby("task")["at"].nunique()
    lines = []
    for method, others in readings[readings["method"] != control].groupby("method"):
        shares, n = [], 0
        for cell, of_cell in others.groupby(["task", "at"]):
            if cell in base:
                pairs = len(of_cell) * len(base[cell])
                worse, not_better = (
                    int(numpy.searchsorted(base[cell], of_cell["test_accuracy"].to_numpy(float), side).sum())
                    for side in ("left", "right")
                )
                shares.append(worse / pairs + (not_better - worse) / pairs / 2)
                n += len(of_cell)
        if shares:
            asked = others.groupby("task")["asked"].max().mul(reached).dropna().sum()
            lines.append((method, control, len(shares), n, int(asked), sum(shares) / len(shares)))
    return pandas.DataFrame(lines, columns=COLUMNS).sort_values("probability", ascending=False, ignore_index=True)
