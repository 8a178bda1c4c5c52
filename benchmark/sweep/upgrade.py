"""Tables of older versions: they get the present names and columns before rows are added."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.records.files import replacing
from benchmark.records.repair import repair
from benchmark.records.schema import THRESHOLD_COLUMNS
from benchmark.records.table import append, encoded, read
from benchmark.sweep.rows import completed


def rename_cuts(folder: Path) -> None:
    """Move the rows of cuts.csv, as an older version named it, to thresholds.csv."""
    old, new = folder / "cuts.csv", folder / "thresholds.csv"
    if not old.exists():
        return
    if not new.exists():
        old.rename(new)
        return
    repair(old, THRESHOLD_COLUMNS)
    known = {row["key"] for row in read(new, THRESHOLD_COLUMNS)}
    rows = [row for row in read(old, THRESHOLD_COLUMNS) if row["key"] not in known]
    append(new, THRESHOLD_COLUMNS, [tuple(row.values()) for row in rows])
    old.unlink()


def upgrade(path: Path, columns: Sequence[str]) -> None:
    """Rewrite a table whose header is an older version's, with today's columns."""
    with path.open(encoding="utf-8") as file:
        if file.readline().rstrip("\n") == ",".join(columns):
            return
    rows = read(path, columns)
    if path.name == "runs.csv":
        rows = [completed(row) for row in rows]
    with replacing(path) as table:
        table.write(encoded([columns], [[row[column] for column in columns] for row in rows]))


def has_content(path: Path) -> bool:
    """Tell whether a file is there and not empty."""
    return path.exists() and path.stat().st_size > 0
