"""Repair and compress tables: set torn lines aside, and pack long tables."""

from __future__ import annotations

import csv
import gzip
import os
import shutil
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.records.files import replacing, sync_folder
from benchmark.records.table import check_columns, check_regular, names_of, read

PACKED_ABOVE = 1_000_000  # bytes


def repair(path: Path, columns: Sequence[str]) -> str | None:
    """Move torn lines to `<file>.torn`; return a warning that says so, or None if no line was torn.

    A line is torn if it has fewer cells than the header, or if it is the last one and has no line end. Raises
    UsageError, and leaves the file as it is, unless its header has our columns and all of it is text; and for a line
    with more cells than the header, after torn lines were moved.
    """
    if not path.is_file() or not path.stat().st_size:
        return None
    with path.open("rb") as file:
        start = file.read(100_000)  # a file of another kind may be huge
    if not ",".join(columns).encode().startswith(start):  # else the first write was cut within the header
        header = start.splitlines()[0]
        check_columns(path, columns, names_of(path, header))
        if is_whole(path, len(names_of(path, header))):
            return None
    width = len(names_of(path, start.splitlines()[0]))
    torn, whole = [], False
    for line, is_torn in _lines(path, width):
        if is_torn:
            torn.append(line)
        whole |= not is_torn
    if not torn:
        read(path, columns)  # raises for a row with too many cells
        return None
    aside = path.with_name(path.name + ".torn")
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW  # a link there may lead to a file of someone else
    with os.fdopen(os.open(aside, flags, 0o666), "ab") as file:
        file.writelines(line.rstrip(b"\r\n") + b"\n" for line in torn)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
    if whole:
        with replacing(path) as file:
            file.writelines(line for line, is_torn in _lines(path, width) if not is_torn)
        read(path, columns)
    else:
        path.unlink()
    return f"{len(torn)} torn lines of {path} were moved to {aside.name}; their runs will be trained again"


def _lines(path: Path, width: int) -> Iterator[tuple[bytes, bool]]:
    """Yield the lines of a table, each with whether it is torn; raise UsageError for a whole line that is no text."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        for line in file:
            try:
                torn = not line.endswith(("\n", "\r")) or 0 < len(next(csv.reader([line]), [])) < width
                torn or line.encode()
            except UnicodeEncodeError:
                raise UsageError(
                    f"{path} is not a CSV of sparsefront: it is not text in UTF-8; it is left as it is"
                ) from None
            yield line.encode(errors="surrogateescape"), torn


def is_whole(path: Path, width: int) -> bool:
    """Tell quickly whether all of a table is text in lines of `width` cells; a table of curves may have millions."""
    rest: list[bytes] = []
    with path.open("rb") as file:
        while block := file.read(2**20):
            lines, newline, tail = block.rpartition(b"\n")
            if newline:
                if not _has_cells(b"".join([*rest, lines]), width):
                    return False
                rest.clear()
            rest.append(tail)
    return not any(rest)


def _has_cells(lines: bytes, width: int) -> bool:
    """Tell whether some lines are text, and all of them that are not blank have `width` cells."""
    try:
        parts = lines.decode().split('"')  # many times as fast as csv.reader
    except UnicodeDecodeError:
        return False
    outside, inside = parts[::2], parts[1::2]  # between two cells in quotes, or within "" where a cell holds a quote
    closed = len(outside) > len(inside) and not any("\n" in part for part in inside)
    apart = all(part[:1] in ",\n" for part in outside[1:]) and all(part[-1:] in ",\n" for part in outside[:-1])
    bare = '"'.join(outside).split("\n")
    return closed and apart and all(line.count(",") == width - 1 or not line.strip() for line in bare)


def check_packed(path: Path, columns: Sequence[str]) -> None:
    """Raise UsageError if `<file>.gz`, to which a sweep will add rows, does not begin as our packed table does."""
    packed = path.with_name(path.name + ".gz")
    if not os.path.lexists(packed):
        return
    check_regular(packed)
    try:
        with gzip.open(packed) as file:
            header = file.readline(100_000)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{packed} is damaged or no packed CSV ({error}); restore it, or move it away") from None
    check_columns(packed, columns, names_of(packed, header.rstrip(b"\n")))


def compress_growing(path: Path) -> None:
    """Do what `compress` does, for a table that still grows: when its rows are as long as the archive.

    The archive is copied each time, so a bound that did not grow would copy it ever more often.
    """
    packed = path.with_name(path.name + ".gz")
    compress(path, max(PACKED_ABOVE, packed.stat().st_size if packed.is_file() else 0))


def compress(path: Path, above: int = PACKED_ABOVE) -> None:
    """Move the rows of a CSV that is longer than `above` bytes to the end of `<file>.gz`.

    They become a gzip member of their own, so earlier rows are not compressed again; readers see one file. The archive
    is replaced as a whole, so it is never torn. If the process dies before the CSV is deleted, both hold its rows, and
    readers take the last of equal ones.
    """
    if not path.is_file() or path.stat().st_size <= above:
        return
    packed = path.with_name(path.name + ".gz")
    with replacing(packed) as file, path.open("rb") as rows:
        if packed.is_file():
            with packed.open("rb") as earlier:
                shutil.copyfileobj(earlier, file)
            rows.readline()  # the header is in the first member
        # without a time stamp, so equal rows make equal files
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as member:
            shutil.copyfileobj(rows, member, 2**20)
    path.unlink()
    sync_folder(path.parent)
