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
    write_text(path, table.to_csv(index=False, float_format=f"%.{digits}g", lineterminator="\n"))
