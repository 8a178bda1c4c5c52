"""Repair and compress tables: set torn lines aside, and pack long tables."""

from __future__ import annotations

import csv
import gzip
import os
import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.records.files import replacing, sync_folder
from benchmark.records.table import check_columns, names_of


def repair(path: Path, columns: Sequence[str]) -> str | None:
    """Move torn lines to `<file>.torn`; return a warning that says so, or None if no line was torn.

    A line is torn if it has fewer cells than the header, or if it is the last one and has no line end. Raises
    UsageError, and leaves the file as it is, unless its header has our columns and all of it is text.
    """
    if not path.is_file() or not path.stat().st_size:
        return None
    with path.open("rb") as file:
        start = file.read(100_000)  # a file of another kind may be huge
    if not ",".join(columns).encode().startswith(start):  # else the first write was cut within the header
        header = start.splitlines()[0]
        check_columns(path, columns, names_of(path, header))
    lines = path.read_bytes().splitlines(keepends=True)
    width = len(names_of(path, lines[0]))
    counts = []
    for line in lines:
        whole = line.endswith((b"\n", b"\r"))
        text = _text(path, line) if whole else ""
        counts.append(len(next(csv.reader([text]), [])) if whole else -1)
    torn = [line for line, count in zip(lines, counts, strict=True) if count == -1 or 0 < count < width]
    if not torn:
        return None
    aside = path.with_name(path.name + ".torn")
    with aside.open("ab") as file:
        file.writelines(line.rstrip(b"\r\n") + b"\n" for line in torn)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
    if len(torn) == len(lines):
        path.unlink()
    else:
        with replacing(path) as file:
            file.writelines(line for line, count in zip(lines, counts, strict=True) if count == 0 or count >= width)
    return f"{len(torn)} torn lines of {path} were moved to {aside.name}; their runs will be trained again"


def _text(path: Path, line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not a CSV of sparsefront: it is not text in UTF-8; it is left as it is") from None


def check_packed(path: Path, columns: Sequence[str]) -> None:
    """Raise UsageError if `<file>.gz`, to which a sweep will add rows, does not begin as our packed table does."""
    packed = path.with_name(path.name + ".gz")
    if not os.path.lexists(packed):
        return
    if not packed.is_file():
        raise UsageError(f"{packed} is no regular file; move it away, or choose a folder with --results")
    try:
        with gzip.open(packed) as file:
            header = file.readline(100_000)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{packed} is damaged or no packed CSV ({error}); restore it, or move it away") from None
    check_columns(packed, columns, names_of(packed, header.rstrip(b"\n")))


def compress(path: Path, above: int = 1_000_000) -> None:
    """Move the rows of a CSV that is longer than `above` bytes to the end of `<file>.gz`.

    They become a gzip member of their own, so earlier rows are not compressed again; readers see one file. The archive
    is replaced as a whole, so it is never torn. If the process dies before the CSV is deleted, both hold its rows, and
    readers take the last of equal ones.
    """
    if not path.is_file() or path.stat().st_size <= above:
        return
    packed, content = path.with_name(path.name + ".gz"), path.read_bytes()
    with replacing(packed) as file:
        if packed.is_file():
            with packed.open("rb") as earlier:
                shutil.copyfileobj(earlier, file)
            content = content.partition(b"\n")[2]  # the header is in the first member
        file.write(gzip.compress(content, mtime=0))  # without a time stamp, so equal rows make equal files
    path.unlink()
    sync_folder(path.parent)
