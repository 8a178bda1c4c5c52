"""The figures of a comparison of many methods: points below dense, and the differences to gradual magnitude."""

from __future__ import annotations

from pathlib import Path

import pandas

from plots.figures.below_dense import below_dense
from plots.figures.forest import forest, has_readings
from plots.registry import COMPARISONS, figure
from plots.results import measured
from plots.statistics.accuracy import CONTROL
from plots.style import file_name, save


@figure(COMPARISONS, replaces_front=True)
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Draw two figures for each task; without a reading of the control, the first alone."""
    written: list[Path] = []
    for task in sorted(measured(frame)["task"].unique()):
        of_task = frame[frame["task"] == task]
        written += save(below_dense(of_task), figures / file_name(f"below-dense-{task}"))
        if has_readings(of_task, CONTROL):
            written += save(forest(of_task, task, CONTROL), figures / file_name(f"against-{CONTROL}-{task}"))
    return written
