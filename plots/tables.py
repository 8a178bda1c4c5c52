"""The CSV files of an experiment as tables of pandas, with numbers where they hold numbers."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas

from benchmark.errors import UsageError
from benchmark.records.table import stream


def read_table(path: Path, columns: Sequence[str], numbers: Collection[str]) -> pandas.DataFrame:
    """Return a CSV of an experiment; the columns in `numbers` hold numbers, NaN for an empty cell, others hold text.

    Raises UsageError if the file is incomplete or if one of these cells holds no number.
    """
    return with_numbers(pandas.DataFrame(stream(path, columns, columns), columns=list(columns)), numbers, path)


def with_numbers(table: pandas.DataFrame, numbers: Collection[str], path: Path) -> pandas.DataFrame:
    """Turn the columns of a table of text that hold numbers into numbers; `path` is for the message of an error."""
    for name in numbers:
        try:
            table[name] = pandas.to_numeric(table[name].mask(table[name].isin(["", "nan"])))
        except ValueError as error:
            raise UsageError(f"{path} holds something that is no number in column {name}: {error}") from error
    return table


def with_packed(path: Path, columns: Sequence[str]) -> pandas.DataFrame:
    """Return the rows of a table whose older rows may be in `<file>.gz`; no rows if there is neither file."""
    packed = path.with_name(path.name + ".gz")
    parts = [pandas.DataFrame(columns=list(columns))]
    if packed.is_file():
        try:
            parts.append(pandas.read_csv(packed, dtype=str, keep_default_na=False))
        except (EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise UsageError(f"{packed} is damaged or no packed CSV ({reason}); restore it, or move it away") from None
        if list(parts[-1].columns) != list(columns):
            raise UsageError(f"{packed} does not have the columns {', '.join(columns)}")
    if path.is_file():
        parts.append(pandas.DataFrame(stream(path, columns, columns), columns=list(columns)))
    return pandas.concat(parts, ignore_index=True)
