"""Figures and tables from the CSV files that `benchmark` writes; this package never imports torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plots.figures.fronts import front
    from plots.leaderboards import leaderboard
    from plots.registry import figure
    from plots.results import load
    from plots.summaries import summary

__all__ = ["figure", "front", "leaderboard", "load", "summary"]

# Each name is imported when it is first used: `figure` needs no plotting library, the others do.
_MODULES = {
    "figure": "plots.registry",
    "front": "plots.figures.fronts",
    "leaderboard": "plots.leaderboards",
    "load": "plots.results",
    "summary": "plots.summaries",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
