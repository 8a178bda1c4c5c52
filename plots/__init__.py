"""Figures and tables from the CSV files that `benchmark` writes; this package never imports torch.

results.py loads the runs of an experiment with tables.py, checks them with cells.py, and counts them at the zero
threshold that thresholds.py gives. summaries.py averages them over seeds; readings.py reads fronts at a given
compression, and comparisons.py computes intervals of the readings, with the critical values of simultaneous.py;
`statistics` holds the tables of a comparison, and selection.py takes a part of the runs. answers.py reads which test
examples each run got right, and deployed.py adds file sizes and latencies. learning_rates.py chooses learning rates,
and trials.py chooses pairs of learning rate and knob. report.py writes the figures of `figures` and the leaderboard of
leaderboards.py, which terminal.py prints, comparison_report.py those of several folders, and `page` an interactive HTML
page; registry.py finds the figures of an experiment. axes.py, looks.py and style.py hold what figures share, and
files.py writes files. checklist.py judges results by the checklist of Blalock et al., whose items are in
`requirements`. metrics.py names the metric of a task, and literature.py holds published curves. docs.py fills the
blocks of the documentation with the tables and numbers of `doc_blocks`.
"""

from __future__ import annotations

import importlib
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plots.answers import correct
    from plots.figures.fronts import front
    from plots.leaderboards import leaderboard
    from plots.registry import figure
    from plots.results import AT_SETTING, load
    from plots.summaries import summary

__all__ = ["AT_SETTING", "correct", "figure", "front", "leaderboard", "load", "summary"]

# Each name is imported when it is first used: `figure` needs no plotting library, the others do.
_MODULES = {
    "AT_SETTING": "plots.results",
    "correct": "plots.answers",
    "figure": "plots.registry",
    "front": "plots.figures.fronts",
    "leaderboard": "plots.leaderboards",
    "load": "plots.results",
    "summary": "plots.summaries",
}


def _leave_missing_backend() -> None:
    """Let matplotlib be imported where a notebook, whose shell started this process, names a backend of its own."""
    kind, _, module = os.environ.get("MPLBACKEND", "").partition("module://")
    if not kind and module and find_spec(module.partition(".")[0]) is None:
        os.environ["MPLBACKEND"] = "agg"


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        _leave_missing_backend()
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
