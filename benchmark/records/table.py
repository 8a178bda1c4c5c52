"""Append, read and repair CSV tables."""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.records.schema import COLUMNS, DEFAULTS, DROPPED, RENAMED


def append(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Append rows as one write that is on disk when this returns; the first write to a file puts the header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    with path.open("ab") as file:
        if file.tell() == 0:
            writer.writerow(columns)
        writer.writerows([_cell(value) for value in row] for row in rows)
        file.write(text.getvalue().encode())
        file.flush()
        os.fsync(file.fileno())


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.10g}"
    return " ".join(value.split()) if isinstance(value, str) else value  # one run, one line, whatever an error says


def read(path: Path, columns: Sequence[str] = COLUMNS) -> list[dict[str, str]]:
    """The rows of a CSV, every cell a string.

    Columns have their present names, and those of runs.csv that an older version did not write hold the defaults of
    `Row`. Raises UsageError where the file is missing, empty, has other columns, or ends in a torn line.
    """
    if not path.is_file():
        raise UsageError(f"there is no {path}; `sparsefront run` writes it")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not a CSV of sparsefront: it is not even text") from None
    header, *rows = [row for row in csv.reader(io.StringIO(text)) if row] or [[]]
    names = [RENAMED.get(name, name) for name in header]
    unknown = ", ".join(c for c in names if c not in (*columns, *DROPPED)) or "none"
    missing = ", ".join(c for c in columns if c not in names and c not in DEFAULTS) or "none"
    if (unknown, missing) != ("none", "none"):
        raise UsageError(f"{path} does not have this version's columns (unknown: {unknown}; missing: {missing})")
    if not text.endswith("\n") or any(len(row) != len(names) for row in rows):
        raise UsageError(f"{path} holds a torn line; running its experiment again repairs it")
    filled = {name: default for name, default in DEFAULTS.items() if name in columns}
    tables = (filled | dict(zip(names, row, strict=True)) for row in rows)
    return [{name: row[name] for name in columns} for row in tables]


def repair(path: Path) -> str | None:
    """Move torn lines to `<file>.torn`; return a sentence that says so, or None if the file was whole.

    A line is torn if it has fewer cells than the header, or is the last one and does not end.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True) if path.is_file() else []
    cells = [len(next(csv.reader([line]), [])) for line in lines]
    torn = {i for i, count in enumerate(cells) if 0 < count < cells[0] or not lines[i].endswith("\n")}
    if not torn:
        return None
    aside = path.with_name(path.name + ".torn")
    with aside.open("a", encoding="utf-8") as file:
        file.writelines(lines[i].rstrip("\n") + "\n" for i in sorted(torn))
    if len(torn) == len(lines):
        path.unlink()
    else:
        temporary = path.with_name(path.name + ".tmp")
        temporary.write_text("".join(line for i, line in enumerate(lines) if i not in torn), encoding="utf-8")
        temporary.replace(path)
    return f"{len(torn)} torn lines of {path} now stand in {aside.name}; their runs will be done again"


def compress(path: Path, above: int = 1_000_000) -> None:
    """Move a CSV that has grown long into `<file>.gz`, behind what is there already."""
    if not path.is_file() or path.stat().st_size <= above:
        return
    packed = path.with_name(path.name + ".gz")
    old = gzip.decompress(packed.read_bytes()) if packed.is_file() else b""
    new = path.read_bytes()
    temporary = packed.with_suffix(".tmp")
    # No time stamp inside, so that the same curves make the same file.
    temporary.write_bytes(gzip.compress(old + (new.split(b"\n", 1)[1] if old else new), mtime=0))
    temporary.replace(packed)
    path.unlink()
