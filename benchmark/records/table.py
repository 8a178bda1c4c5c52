"""Append and read CSV tables."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.records.files import sync_folder
from benchmark.records.schema import COLUMNS, DEFAULTS, DROPPED, RENAMED

csv.field_size_limit(2**31 - 1)  # an older version wrote error messages of any length
MOST_EQUAL = 10_000  # different cells that are kept for comparison


def append(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Append rows in one write that is on disk when this returns; the first write to a file also writes the header."""
    with path.open("ab") as file:
        new = file.tell() == 0
        file.write(encoded([columns] * new, rows))
        file.flush()
        os.fsync(file.fileno())
    if new:
        sync_folder(path.parent)


def encoded(header: Iterable[Sequence[str]], rows: Iterable[Sequence[object]]) -> bytes:
    """Return the lines of a table; a character that no UTF-8 has, as in a file name of another encoding, is escaped."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    return text.getvalue().encode(errors="backslashreplace")


def cell(value: object) -> str:
    """Return the text of a value in a table, always on one line; an error message may have several."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(float(value)).removesuffix(".0")  # reads back as the same number, so that a key can be computed
    return " ".join(str(value).split())


def read(path: Path, columns: Sequence[str] = COLUMNS, only: Collection[str] | None = None) -> list[dict[str, str]]:
    """Return the rows of a CSV, with every cell as a string, and of the columns those in `only`, by default all.

    Columns have their present names. Columns of runs.csv that an older version did not write hold the defaults of
    `Row`. Raises UsageError if the file is missing or empty, has other columns, or holds a torn line.
    """
    kept = [name for name in columns if only is None or name in only]
    return [dict(zip(kept, cells, strict=True)) for cells in stream(path, columns, kept)]


def stream(path: Path, columns: Sequence[str], kept: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of some columns, row by row; raise UsageError as `read` does."""
    check_regular(path)
    if not path.is_file():
        folder = Path("results") / path.parent
        meant = f" (did you mean {folder}?)" if (folder / path.name).is_file() else ""
        raise UsageError(f"there is no {path}{meant}; `sparsefront run` writes it")
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - 1, 0))
            ends = file.read() in (b"\n", b"\r")
        whole = True
        with path.open(encoding="utf-8-sig") as text:  # spreadsheets write a byte order mark
            rows = filter(None, csv.reader(text))
            header = next(rows, [])
            names = [RENAMED.get(name, name) for name in header]
            check_columns(path, columns, names)
            lacking = [name for name in kept if name not in names]
            present = [*names, *lacking]
            places, defaults = [present.index(name) for name in kept], [DEFAULTS[name] for name in lacking]
            equal: dict[str, str] = {}  # one object for equal cells, so that many rows take little memory
            for number, row in enumerate(rows, start=2):
                if row == header:
                    raise UsageError(
                        f"row {number} of {path} is its header once more; delete that row, or join folders by "
                        "`sparsefront merge`"
                    )
                if len(row) > len(names):
                    raise UsageError(
                        f"row {number} of {path} has more cells than its header; correct or delete that row"
                    )
                if len(row) < len(names):
                    whole = False
                    continue
                keep = equal.setdefault if len(equal) < MOST_EQUAL else equal.get
                cells = row + defaults
                yield tuple([keep(cells[place], cells[place]) for place in places])
    except (UnicodeDecodeError, csv.Error):
        raise UsageError(f"{path} is not a CSV of sparsefront: it is not text") from None
    if not whole:
        raise UsageError(f"{path} holds a torn line; running its experiment again repairs it")
    if not ends:  # some spreadsheets write none, but a killed run may have written half a number
        raise UsageError(
            f"the last line of {path} may be torn, for it has no line end; add one if the line is whole, or run its "
            "experiment again"
        )


def check_regular(path: Path) -> None:
    """Raise UsageError if a folder, a pipe or a link that leads nowhere has the name of a table."""
    if os.path.lexists(path) and not path.is_file():
        kinds = {"a folder": path.is_dir(), "a pipe": path.is_fifo(), "a link that leads nowhere": not path.exists()}
        kind = next((name for name, holds in kinds.items() if holds), "no regular file")
        raise UsageError(f"{path} is {kind} and no table; move it away, or choose a folder with --results")


def names_of(path: Path, header: bytes) -> list[str]:
    """Return the present names of the columns in a header line; raise UsageError if the line is no text."""
    try:
        cells = next(csv.reader([header.decode("utf-8-sig")]), [])
    except (UnicodeDecodeError, csv.Error):
        raise UsageError(f"{path} is not a CSV of sparsefront: it is not text; it is left as it is") from None
    return [RENAMED.get(name, name) for name in cells]


def check_columns(path: Path, columns: Sequence[str], names: Sequence[str]) -> None:
    """Raise UsageError unless a table has the columns, each once, and no others."""
    if not names:
        raise UsageError(f"{path} is empty; delete it, or run its experiment, which fills it")
    if len(names) <= 1 < len(columns) and re.search(r"[;\t]", "".join(names)):
        raise UsageError(f"{path} has no commas between its cells; save it with commas there, and with decimal points")
    unknown = ", ".join(repr(c) if c in ("", *columns) else c for c in names if c not in (*columns, *DROPPED))
    twice = ", ".join(sorted({c for c in names if names.count(c) > 1}))
    missing = ", ".join(c for c in columns if c not in names and c not in DEFAULTS)
    found = {"unknown": unknown, "twice": twice, "missing": missing}
    if faults := "; ".join(f"{fault}: {what}" for fault, what in found.items() if what):
        raise UsageError(f"{path} does not have this version's columns ({faults}); it is left as it is")
