"""The tables of runs that a user gives to `front`, `leaderboard` and `summary`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas

from benchmark.errors import UsageError

# The columns that means read; `counted` tells a table of `plots.load` from one read as it is, with its repeated rows.
SUMMED = (
    *("key", "task", "method", "knob", "value", "seed", "metric", "better", "prunable", "nonzeros", "density"),
    *("compression", "val_accuracy", "val_loss", "test_accuracy", "chance", "status", "counted"),
)
# And those that figures and leaderboards read for their texts.
SHOWN = (*SUMMED, "label", "family", "threshold", "epochs", "steps", "penalty", "hardware", "cpu_capability", "stale")

Runs = pandas.DataFrame | Iterable[pandas.DataFrame]


def table_of(runs: Runs, columns: Sequence[str]) -> pandas.DataFrame:
    """Return one table with the given columns, in which each run is one row and rows are numbered.

    `runs` is a table of `plots.load`, filtered, sorted, or with another index, or several such tables. A run that is
    there twice under the same method counts once. Raises UsageError for something else, and for a table that lacks one
    of the columns.
    """
    tables = [runs] if isinstance(runs, pandas.DataFrame) or not isinstance(runs, Iterable) else list(runs)
    if not all(isinstance(table, pandas.DataFrame) for table in tables):
        raise UsageError(
            f"runs are a table that plots.load returns, or a list of such tables, not of type {type(runs).__name__}"
        )
    if not tables:
        raise UsageError("runs are a table that plots.load returns, or a list of such tables, and this list is empty")
    tables = [_numbered(table) for table in tables]
    for table in tables:
        if lost := [name for name in columns if name not in table]:
            raise UsageError(
                f"the table of runs has no column {', '.join(lost)}; give one that plots.load returns, all its columns"
            )
        if twice := table.columns[table.columns.duplicated()].astype(str).tolist():
            raise UsageError(f"the table of runs has two columns {twice[0]}; keep one")
    whole = tables[0] if len(tables) == 1 else pandas.concat(tables, ignore_index=True)
    again = whole.duplicated(["key", "task", "method", "knob", "value"])
    return whole[~again].reset_index(drop=True) if again.any() else whole  # to copy all columns takes long


def _numbered(table: pandas.DataFrame) -> pandas.DataFrame:
    """Return a table whose index is the number of the row; columns that were made its index are columns again."""
    levels = [name for name in table.index.names if name is not None and name not in table.columns]
    return table.reset_index(levels).reset_index(drop=True)
