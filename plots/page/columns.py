"""Tables as columns in JSON: short where values repeat, exact to the last digit, and without NaN."""

from __future__ import annotations

import math
from typing import Any

import pandas

MANY = 1000


def packed(table: pandas.DataFrame, digits: int | None = None) -> dict[str, Any]:
    """Return the number of rows and each column: a list of values or, where values repeat, `levels` and `codes`.

    A column of one value has no codes, and one that has the codes of an earlier column names that one in `as`. Missing
    and infinite numbers are null; 1.0 is written as 1. With `digits`, columns of fractions are rounded
    where more than MANY are different.
    """
    columns: dict[str, Any] = {}
    named: dict[bytes, str] = {}
    for name in map(str, table):
        codes, levels = pandas.factorize(table[name], use_na_sentinel=False)
        if digits and len(levels) > MANY and pandas.api.types.is_float_dtype(levels.dtype):
            again, levels = pandas.factorize(pandas.Index([float(f"{x:.{digits}g}") for x in levels]))
            codes = again[codes]
        values = [plain(value) for value in levels.tolist()]
        if len(values) == 1:
            columns[name] = {"levels": values}
        elif 2 * len(values) > len(table):
            columns[name] = [values[code] for code in codes.tolist()]
        elif (first := named.setdefault(codes.tobytes(), name)) == name:
            columns[name] = {"levels": values, "codes": codes.tolist()}
        else:
            columns[name] = {"levels": values, "as": first}
    return {"rows": len(table), "columns": columns}


def plain(value: Any) -> Any:
    """Return a cell of a table as a value that JSON has."""
    value = value.item() if hasattr(value, "item") else value
    if value is None or value is pandas.NA:
        return None
    if isinstance(value, float):
        return None if not math.isfinite(value) else int(value) if value.is_integer() else value
    return value
