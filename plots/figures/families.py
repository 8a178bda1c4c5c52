"""The figures of a comparison of many methods: points below dense, and the differences to gradual magnitude."""

from __future__ import annotations

from pathlib import Path

import pandas

from plots.figures.below_dense import below_dense
from plots.figures.forest import forest
from plots.registry import figure
from plots.results import measured
from plots.statistics.accuracy import CONTROL
from plots.style import file_name, save


@figure(("families", "families-mnist", "families-grid", "families-grid-mnist"), replaces_front=True)
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Draw two figures for each task; without a run of the control, the first alone."""
    written: list[Path] = []
    runs = measured(frame)
    for task in sorted(runs["task"].unique()):
        of_task = frame[frame["task"] == task]
        written += save(below_dense(of_task), figures / file_name(f"below-dense-{task}"))
        if CONTROL in set(runs.loc[runs["task"] == task, "method"]):
            written += save(forest(of_task, task, CONTROL), figures / file_name(f"against-{CONTROL}-{task}"))
    return written
