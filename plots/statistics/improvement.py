"""The probability that a run of one method is better than a run of another at the same compression."""

from __future__ import annotations

import numpy
import pandas

COLUMNS = ["method", "control", "compared", "probability"]


def improvement_table(readings: pandas.DataFrame, control: str) -> pandas.DataFrame:
    """Return one line for each method of `plots.readings.read_at` that shares a task and compression with the control.

    `probability` is that of a random seed of the method being more accurate than a random seed of the control, ties
    counted as half: the statistic of Mann and Whitney, as mean over the `compared` pairs of task and compression that
    both reach (Agarwal et al., NeurIPS 2021). It has no interval: with a few seeds a bootstrap, which they propose,
    covers far less than it says.
    """
    own = readings[readings["method"] == control]
    base = {cell: of_cell["test_accuracy"].tolist() for cell, of_cell in own.groupby(["task", "at"])}
    shares: dict[str, list[float]] = {}
    for (method, task, at), of_cell in readings[readings["method"] != control].groupby(["method", "task", "at"]):
        if (task, at) in base:
            gains = numpy.subtract.outer(of_cell["test_accuracy"].to_numpy(dtype=float), base[task, at])
            shares.setdefault(str(method), []).append(float((gains > 0).mean() + (gains == 0).mean() / 2))
    lines = [(method, control, len(own), sum(own) / len(own)) for method, own in shares.items()]
    return pandas.DataFrame(lines, columns=COLUMNS).sort_values("probability", ascending=False, ignore_index=True)
