"""The files that a report writes: whole or not at all, and never where a link leads."""

from __future__ import annotations

from pathlib import Path

import pandas

from benchmark.records.files import replacing


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8."""
    with replacing(path, follow=False) as file:
        file.write(text.encode())


def write_table(path: Path, table: pandas.DataFrame, digits: int = 6) -> None:
    """Write a table as CSV, its numbers with so many significant digits."""
    # pandas writes numbers in the same way, but takes four times as long for a table of 100,000 lines.
    numbers = map(str, table.select_dtypes("float"))
    texts = {name: [_text(number, digits) for number in table[name].tolist()] for name in numbers}
    write_text(path, table.assign(**texts).to_csv(index=False, float_format=f"%.{digits}g", lineterminator="\n"))


def _text(number: float, digits: int) -> str:
    return "" if number != number else f"{number:.{digits}g}"
