"""The cells of a table of runs: a fault in one, as in a table edited by hand, is one sentence."""

from __future__ import annotations

from pathlib import Path

import pandas

from benchmark.errors import UsageError
from benchmark.records.schema import Status


def check_cells(runs: pandas.DataFrame, path: Path) -> None:
    """Raise UsageError for a cell that no run writes, as in a table edited by hand.

    A run has a value, a seed and a known status; a share of weights is one, and an accuracy is a percentage.
    """
    for column in ("value", "seed"):
        if (lacking := runs[column].isna()).any():
            raise UsageError(f"{path} holds no {column} of run {runs.loc[lacking, 'key'].iloc[0]}")
    if (unknown := ~runs["status"].isin(list(Status))).any():
        run = runs[unknown].iloc[0]
        raise UsageError(
            f"{path} holds {run['status']!r} as status of run {run['key']}; statuses are {', '.join(Status)}"
        )
    accuracy = runs["metric"] == "accuracy"
    for column, most in (("density", 1), ("val_accuracy", 100), ("test_accuracy", 100)):
        there = runs[column].notna() & (accuracy if most == 100 else True)
        wrong = runs[there & ~runs[column].between(0, most)]
        if len(wrong):
            raise UsageError(
                f"{path} holds {wrong[column].iloc[0]:g} as {column} of run {wrong['key'].iloc[0]}, "
                f"which is a number from 0 to {most}"
            )
