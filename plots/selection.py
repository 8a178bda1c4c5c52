"""A part of the runs, by task and method, and the leaderboard as a table of numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas

from benchmark.errors import UsageError
from plots.readings import LEVELS, read_at, seed_curves
from plots.statistics.accuracy import accuracy_table
from plots.statistics.tolerance import tolerance_table

COLUMNS = ["task", "method", "measure", "at", "n", "asked", "estimate", "low", "high", "top"]


def select(runs: pandas.DataFrame, methods: Sequence[str] | None, tasks: Sequence[str] | None) -> pandas.DataFrame:
    """Return the runs of the named methods and tasks; None stands for all.

    A method is named as in the table, or by the part before its options, which takes all of its forms. Dense runs stay,
    since the others are compared with them. Raises UsageError for a name that no run has.
    """
    for column, asked in (("task", tasks), ("method", methods)):
        if asked is None:
            continue
        texts = runs[column].astype(str)
        forms = {name: (texts == name) | texts.str.match(rf"{re.escape(name)}(?![\w-])") for name in asked}
        if unknown := [name for name, found in forms.items() if not found.any()]:
            there = ", ".join(sorted(set(texts)))
            raise UsageError(f"there are no runs of the {column} {', '.join(unknown)}; {column}s are {there}")
        chosen = pandas.concat(forms.values(), axis=1).any(axis=1)
        runs = runs[chosen | (texts == "dense")] if column == "method" else runs[chosen]
    return runs


def board_table(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the numbers of the leaderboard, one for each line.

    `measure` is accuracy in percent, or the name of another metric, at the compression `at`, or compression, at `at`
    points of accuracy below dense or percent of another metric worse.
    low and high are the 95 % interval of the estimate, and n of the asked seeds are in it.
    """
    curves = seed_curves(runs[runs["method"] != "dense"])
    accuracy = accuracy_table(read_at(curves, LEVELS), runs).rename(columns={"compression": "at", "mean": "estimate"})
    reached = tolerance_table(curves, runs).rename(columns={"loss": "at", "compression": "estimate"})
    reached = reached[reached["missed"] < reached["n"]].assign(top=None)
    parts = [accuracy.assign(measure=accuracy["metric"]), reached.assign(measure="compression")]
    return pandas.concat([part.reindex(columns=COLUMNS).astype(object) for part in parts], ignore_index=True)
