"""The CSV files of an experiment as tables of pandas, with numbers where they hold numbers."""

from __future__ import annotations

import gzip
import sys
import warnings
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pandas
from pandas.api.types import union_categoricals

from benchmark.errors import UsageError
from benchmark.records.repair import is_whole
from benchmark.records.table import stream


def read_table(
    path: Path, columns: Sequence[str], numbers: Collection[str], only: Sequence[str] | None = None
) -> pandas.DataFrame:
    """Return a CSV of an experiment; the columns in `numbers` hold numbers, and the others text.

    An empty cell of numbers, or one that holds nan, NaN or NA, is NaN. With `only`, the other columns are left
    out. Raises UsageError if the file is incomplete or if one of these cells holds no number.
    """
    kept = [name for name in columns if only is None or name in only]
    numbers = [name for name in numbers if name in kept]
    fast = _read_fast(path, columns, numbers, kept)
    return fast if fast is not None else with_numbers(_read(path, columns, kept), numbers, path)


def _read(path: Path, columns: Sequence[str], kept: Sequence[str]) -> pandas.DataFrame:
    return pandas.DataFrame(stream(path, columns, kept), columns=list(kept))


def _read_fast(
    path: Path, columns: Sequence[str], numbers: Collection[str], kept: Sequence[str]
) -> pandas.DataFrame | None:
    """Return the same table by the parser of pandas, many times as fast, or None for a file with any irregularity."""
    try:
        with path.open("rb") as file:
            regular = file.readline() == (",".join(columns) + "\n").encode() and is_whole(path, len(columns))
        if not regular:
            return None
        table = pandas.read_csv(
            path,
            usecols=list(kept),
            dtype={name: str for name in kept if name not in numbers},
            na_values={name: ["", "nan"] for name in numbers},
            keep_default_na=False,
            low_memory=False,
        )
    except (OSError, ValueError):
        return None
    sound = all(pandas.api.types.is_numeric_dtype(table[name]) for name in numbers)
    return table if sound and not (table[kept[0]].astype(str) == kept[0]).any() else None


def with_numbers(table: pandas.DataFrame, numbers: Collection[str], path: Path) -> pandas.DataFrame:
    """Turn the columns of a table of text that hold numbers into numbers; `path` is for the message of an error."""
    for name in numbers:
        try:
            table[name] = pandas.to_numeric(table[name].mask(table[name].isin(["", "nan", "NaN", "NA"])))
        except ValueError as error:
            raise UsageError(f"{path} holds something that is no number in column {name}: {error}") from error
    return table


def with_packed(
    path: Path, columns: Sequence[str], numbers: Collection[str], categories: Collection[str] = ()
) -> pandas.DataFrame:
    """Return the rows of a table whose older rows may be in `<file>.gz`; no rows if there is neither file.

    Columns in `numbers` are as in `read_table`; text in `categories` is categorical, which takes a fraction of the
    memory where it repeats.
    """
    parts = list(packed_parts(path, columns, numbers, categories))
    if len(parts) == 1:
        return parts[0]
    joined = {name: union_categoricals([part[name] for part in parts]) for name in categories}
    return pandas.concat([part.drop(columns=list(categories)) for part in parts], ignore_index=True).assign(**joined)[
        list(columns)
    ]


def packed_parts(
    path: Path,
    columns: Sequence[str],
    numbers: Collection[str],
    categories: Collection[str] = (),
    rows: int = sys.maxsize,
) -> Iterator[pandas.DataFrame]:
    """Yield what `with_packed` returns in parts; those of the packed file have at most so many rows."""
    packed = path.with_name(path.name + ".gz")
    texts = {name: "category" if name in categories else "str" for name in columns if name not in numbers}
    if packed.is_file():
        missing = {name: ["", "nan"] for name in numbers}
        try:
            with warnings.catch_warnings(action="ignore", category=pandas.errors.DtypeWarning):  # text among numbers
                read = pandas.read_csv(packed, dtype=texts, na_values=missing, keep_default_na=False, chunksize=rows)
                with read:
                    for part in read:
                        if list(part.columns) != list(columns):
                            raise UsageError(f"{packed} does not have the columns {', '.join(columns)}")
                        yield with_numbers(part, numbers, path)
        except UsageError:
            raise
        except (EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise UsageError(f"{packed} is damaged or no packed CSV ({reason}); restore it, or move it away") from None
    if path.is_file() or not packed.is_file():
        table = read_table(path, columns, numbers) if path.is_file() else pandas.DataFrame(columns=list(columns))
        yield table.astype({name: kind for name, kind in texts.items() if kind == "category"})
