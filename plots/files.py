"""The files that a report writes: whole or not at all, and never where a link leads."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pandas

from benchmark.records.files import replacing


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8."""
    with replacing(path, follow=False) as file:
        file.write(text.encode())


def write_table(path: Path, table: pandas.DataFrame, digits: int = 6) -> None:
    """Write a table as CSV, its numbers with so many significant digits."""
    # pandas writes the same text, but takes several times as long for a table of 100,000 lines.
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(zip(*(_texts(table[name], digits) for name in table), strict=True))
    write_text(path, text.getvalue())


def _texts(column: pandas.Series, digits: int) -> list[object]:
    """Return the cells of a column; nothing for a missing one, and 0 for minus 0."""
    if not pandas.api.types.is_float_dtype(column):
        return column.astype(object).where(column.notna(), "").tolist()
    numbers = column.tolist()
    texts = {number: "" if number != number else f"{number + 0.0:.{digits}g}" for number in set(numbers)}
    return [texts[number] for number in numbers]  # many are equal
