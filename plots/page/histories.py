"""Curves and layers of runs, thinned to what a page can hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy
import pandas
from numpy.typing import NDArray

from benchmark.records.schema import CURVE_COLUMNS, LAYER_COLUMNS
from plots.page.columns import packed, plain
from plots.tables import packed_parts, read_table

CURVE_POINTS = 200_000  # numbers of curves in a page, below two megabytes
LAYER_ROWS = 60_000
PART = 1_000_000  # rows that are read at a time
FEWEST = 8  # points of a curve; rather than draw fewer, the page leaves out curves of later runs
LEFT_OUT = r"^(?:density (?:of|at) |rate_share$)"  # curves that layers and thresholds show, or that are no measurement


def curve_data(folder: Path, keys: Sequence[str], share: float) -> tuple[dict[str, Any], str]:
    """Return the curves of the runs with these keys, and a sentence if they are thinned; `share` is of a page's room.

    A curve is a place in `keys`, a metric, and the start of its points in `epochs` and `values`; values have four
    digits.
    """
    room = int(CURVE_POINTS * share)
    table, runs = _first_curves(folder, keys, max(room // FEWEST, 1))
    table = table.drop_duplicates(["run", "epoch", "metric"], keep="last").dropna(subset=["value"])
    curves = table[["run", "metric"]].drop_duplicates().sort_values(["run", "metric"]).head(max(room // FEWEST, 1))
    table = table.merge(curves, on=["run", "metric"])
    kept = table.sort_values(["run", "metric", "epoch"], kind="stable")
    place = kept.groupby(["run", "metric"]).cumcount()
    last = ~kept.duplicated(["run", "metric"], keep="last")
    step = max(1, -(-len(kept) // max(room, 1)))
    kept = kept[(place % step == 0) | last]
    first = ~kept.duplicated(["run", "metric"])
    said = f"Curves show one epoch in {step} and the last. " if step > 1 else ""
    if kept["run"].nunique() < runs:
        said += f"Curves are those of the first {kept['run'].nunique()} of {runs} runs. "
    data = {
        "curves": packed(kept.loc[first, ["run", "metric"]].assign(start=numpy.flatnonzero(first))),
        "epochs": [plain(epoch) for epoch in kept["epoch"].tolist()],
        "values": [plain(float(f"{value:.4g}")) for value in kept["value"].tolist()],
    }
    return data, said


def _first_curves(folder: Path, keys: Sequence[str], most: int) -> tuple[pandas.DataFrame, int]:
    """Return the rows of the first runs that have `most` curves together, and the number of runs with a curve.

    The table is read in parts, of which only these rows are kept: it may be larger than memory.
    """
    place = {key: place for place, key in enumerate(keys)}
    found = pandas.DataFrame({"run": [], "epoch": [], "metric": [], "value": []}).astype({"run": int, "metric": str})
    there = numpy.zeros(len(keys), dtype=bool)
    for part in packed_parts(folder / "curves.csv", CURVE_COLUMNS, ("epoch", "value"), ("key", "metric"), PART):
        runs = numpy.array([place.get(key, -1) for key in part["key"].cat.categories], dtype=int)
        drawn = ~part["metric"].cat.categories.str.contains(LEFT_OUT)
        part["run"] = runs[part["key"].cat.codes]
        part = part[drawn[part["metric"].cat.codes] & (part["run"] >= 0)].drop(columns="key")
        there[part.loc[part["value"].notna(), "run"].to_numpy()] = True
        found = pandas.concat([found, part.astype({"metric": "str"})], ignore_index=True)
        curves = found[found["value"].notna()].drop_duplicates(["run", "metric"])["run"].sort_values()
        if len(curves) > most:
            found = found[found["run"] <= curves.iloc[most]]
    return found, int(there.sum())


def layer_data(folder: Path, keys: Sequence[str], share: float) -> tuple[dict[str, Any], str]:
    """Return the layers of the runs with these keys, and a sentence if later runs are left out."""
    path = folder / "layers.csv"
    table = pandas.DataFrame(columns=list(LAYER_COLUMNS))
    if path.is_file():
        table = read_table(path, LAYER_COLUMNS, LAYER_COLUMNS[2:]).drop_duplicates(["key", "layer"], keep="last")
    table["run"] = _places(table["key"], keys)
    table = table[table["run"] >= 0].sort_values("run", kind="stable")
    kept = table.head(int(LAYER_ROWS * share))
    said = ""
    if len(kept) < len(table):
        said = f"Layers are those of the first {kept['run'].nunique()} of {table['run'].nunique()} runs. "
    return packed(kept[["run", "layer", "kept", "total"]]), said


def _places(column: Iterable[str], keys: Sequence[str]) -> NDArray[numpy.int_]:
    """Return the place of each of some keys, -1 for those that are not in `keys`."""
    place = {key: place for place, key in enumerate(keys)}
    return numpy.array([place.get(key, -1) for key in column], dtype=int)
