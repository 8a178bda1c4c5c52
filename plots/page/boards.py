"""The leaderboards of a folder as tables that a page can sort: one for each task and way to count weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal

import pandas

from benchmark.errors import UsageError
from plots.leaderboards import footnote, heading, leaderboard

NUMBER = re.compile(r"\d+(?:\.\d+)?")
AS_COUNTED = "own"  # weights counted at each run's own zero threshold
EFFECTIVE = "effective"
VALIDATED: Literal["validated"] = "validated"


def counted(counts: Mapping[str, Callable[[], pandas.DataFrame]]) -> Iterator[tuple[str, pandas.DataFrame]]:
    """Yield each count with its runs, except those for which loading raises UsageError."""
    for count, loaded in counts.items():
        with suppress(UsageError):
            yield count, loaded()


def boards(counts: Mapping[str, Callable[[], pandas.DataFrame]]) -> dict[str, Any]:
    """Return the boards by task and count; `counts` names functions that load the runs.

    A count that the runs do not have, for which its function raises UsageError, has no board.
    """
    found: dict[str, Any] = {}
    for count, runs in counted(counts):
        for task in sorted(runs["task"].unique()):
            found.setdefault(task, {})[count] = _board(runs[runs["task"] == task], task)
    return found


def _board(runs: pandas.DataFrame, task: str) -> dict[str, Any]:
    table = leaderboard(runs, task)
    lines = [[method, *map(_cell, cells)] for method, *cells in table.itertuples()]
    return {"heading": heading(runs, task), "columns": list(table), "lines": lines, "note": footnote(runs)}


def _cell(text: str) -> dict[str, Any]:
    """Return a cell's text, the number that sorts it, and whether it belongs to the top group, which is bold."""
    number = NUMBER.search(text)
    return {"text": text.strip("*"), "sort": float(number[0]) if number else None, "top": text.startswith("**")}
