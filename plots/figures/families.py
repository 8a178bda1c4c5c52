"""The figures of a comparison of many methods: points below dense, and the differences to gradual magnitude."""

from __future__ import annotations

from pathlib import Path

import pandas

from plots.comparisons import comparison_table
from plots.figures.below_dense import below_dense
from plots.figures.forest import forest
from plots.leaderboards import LEVELS
from plots.readings import read_at, seed_curves
from plots.registry import figure
from plots.results import measured
from plots.style import file_name, save

CONTROL = "gmp"


@figure(("families", "families-mnist", "families-grid", "families-grid-mnist"), replaces_front=True)
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Write <folder>/comparison.csv and two figures for each task; without a run of the control, the first alone."""
    written = [folder / "comparison.csv"]
    comparison_table(read_at(seed_curves(frame), LEVELS), CONTROL).to_csv(
        written[0], index=False, float_format="%.6g", lineterminator="\n"
    )
    runs = measured(frame)
    for task in sorted(runs["task"].unique()):
        of_task = frame[frame["task"] == task]
        written += save(below_dense(of_task), figures / file_name(f"below-dense-{task}"))
        if CONTROL in set(runs.loc[runs["task"] == task, "method"]):
            written += save(forest(of_task, task, CONTROL), figures / file_name(f"against-{CONTROL}-{task}"))
    return written
