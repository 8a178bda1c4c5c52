"""The stale rows of a results folder, for the commands that draw them."""

from __future__ import annotations

from pathlib import Path

from benchmark.experiments.run import IDENTITY, stale_keys
from benchmark.records.schema import COLUMNS


def stale_in(folder: Path) -> set[str]:
    """Return the keys of the folder's stale rows; raise UsageError if its table cannot be read."""
    from plots.tables import read_table

    table = read_table(folder / "runs.csv", COLUMNS, (), IDENTITY)
    columns = [table[name].tolist() for name in IDENTITY]  # pandas takes ten times as long to go through its rows
    return stale_keys(dict(zip(IDENTITY, cells, strict=True)) for cells in zip(*columns, strict=True))
