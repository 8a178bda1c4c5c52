"""Tables as columns in JSON: short where values repeat, exact to the last digit, and without NaN."""

from __future__ import annotations

import math
from typing import Any

import pandas


def packed(table: pandas.DataFrame) -> dict[str, Any]:
    """Return the number of rows and each column: a list of values or, where values repeat, `levels` and `codes`.

    A column of one value has no codes. Missing and infinite numbers are null; 1.0 is written as 1.
    """
    return {"rows": len(table), "columns": {str(name): _column(table[name]) for name in table}}


def _column(column: pandas.Series) -> list[Any] | dict[str, Any]:
    codes, levels = pandas.factorize(column, use_na_sentinel=False)
    values = [plain(value) for value in levels.tolist()]
    if len(values) == 1:
        return {"levels": values}
    if 2 * len(values) <= len(column):
        return {"levels": values, "codes": codes.tolist()}
    return [values[code] for code in codes.tolist()]


def plain(value: Any) -> Any:
    """Return a cell of a table as a value that JSON has."""
    value = value.item() if hasattr(value, "item") else value
    if value is None or value is pandas.NA:
        return None
    if isinstance(value, float):
        return None if not math.isfinite(value) else int(value) if value.is_integer() else value
    return value
