"""The leaderboards of a folder as tables that a page can sort: one for each task and way to count weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import pandas

from plots.leaderboards import OLD, footnote, heading, leaderboard
from plots.summaries import stale_methods

NUMBER = re.compile(r"\d+(?:\.\d+)?")
AS_COUNTED = "own"  # weights counted at each run's own zero threshold
EFFECTIVE = "effective"
VALIDATED: Literal["validated"] = "validated"


def boards(counts: Mapping[str, pandas.DataFrame]) -> dict[str, Any]:
    """Return the boards by task and count; `counts` has the runs, as each count has them."""
    found: dict[str, Any] = {}
    for count, runs in counts.items():
        for task in sorted(runs["task"].unique()):
            found.setdefault(task, {})[count] = _board(runs[runs["task"] == task], task)
    return found


def _board(runs: pandas.DataFrame, task: str) -> dict[str, Any]:
    table = leaderboard(runs, task)
    lines = [[method, *map(_cell, cells)] for method, *cells in table.itertuples()]
    marks = dict.fromkeys(stale_methods(runs), OLD)
    return {
        "heading": heading(runs, task),
        "columns": list(table),
        "lines": lines,
        "marks": marks,
        "note": footnote(runs),
    }


def _cell(text: str) -> dict[str, Any]:
    """Return a cell's text, the number that sorts it, and whether it belongs to the top group, which is bold."""
    number = NUMBER.search(text)
    return {"text": text.strip("*"), "sort": float(number[0]) if number else None, "top": text.startswith("**")}
