"""Append, read and repair CSV tables."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.records.schema import COLUMNS, DEFAULTS, DROPPED, RENAMED

csv.field_size_limit(2**31 - 1)  # an older version wrote error messages of any length


def append(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Append rows in one write that is on disk when this returns; the first write to a file also writes the header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    with path.open("ab") as file:
        if file.tell() == 0:
            writer.writerow(columns)
        writer.writerows([cell(value) for value in row] for row in rows)
        file.write(text.getvalue().encode(errors="backslashreplace"))
        file.flush()
        os.fsync(file.fileno())


def cell(value: object) -> str:
    """Return the text of a value in a table, always on one line; an error message may have several."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else " ".join(str(value).split())


def read(path: Path, columns: Sequence[str] = COLUMNS) -> list[dict[str, str]]:
    """Return the rows of a CSV, with every cell as a string.

    Columns have their present names. Columns of runs.csv that an older version did not write hold the defaults of
    `Row`. Raises UsageError if the file is missing or empty, has other columns, or holds a torn line.
    """
    if not path.is_file():
        raise UsageError(f"there is no {path}; `sparsefront run` writes it")
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets write a byte order mark
        header, *rows = [row for row in csv.reader(io.StringIO(text)) if row] or [[]]
    except (UnicodeDecodeError, csv.Error):
        raise UsageError(f"{path} is not a CSV of sparsefront: it is not text") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if len(header) == 1 and len(columns) > 1 and re.search(r"[;\t]", header[0]):
        raise UsageError(
            f"{path} has no commas between its cells; save it as a CSV with commas, and with decimal points"
        )
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
    """Move torn lines to `<file>.torn`; return a warning that says so, or None if no line was torn.

    A line is torn if it has fewer cells than the header, or if it is the last one and has no line end.
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
    return f"{len(torn)} torn lines of {path} were moved to {aside.name}; their runs will be trained again"


def compress(path: Path, above: int = 1_000_000) -> None:
    """Move the rows of a CSV that is longer than `above` bytes to the end of `<file>.gz`.

    They become a gzip member of their own, so earlier rows are not compressed again; readers see one file. The archive
    is replaced as a whole, so it is never torn. If the process dies before the CSV is deleted, both hold its rows, and
    readers take the last of equal ones.
    """
    if not path.is_file() or path.stat().st_size <= above:
        return
    packed = path.with_name(path.name + ".gz")
    temporary = path.with_name(path.name + ".gz.tmp")
    content = path.read_bytes()
    if packed.is_file():
        shutil.copyfile(packed, temporary)
        content = content.partition(b"\n")[2]  # the header is in the first member
    else:
        temporary.write_bytes(b"")
    with temporary.open("ab") as file:
        file.write(gzip.compress(content, mtime=0))  # without a time stamp, so equal rows make equal files
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(packed)
    path.unlink()
