"""Curves and layers of runs, thinned to what a page can hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy
import pandas
from numpy.typing import NDArray

from benchmark.records.schema import LAYER_COLUMNS
from plots.page.columns import packed, plain
from plots.results import curve_rows
from plots.tables import read_table

CURVE_POINTS = 200_000  # numbers of curves in a page, below two megabytes
LAYER_ROWS = 60_000
FEWEST = 8  # points of a curve; rather than draw fewer, the page leaves out curves of later runs
LEFT_OUT = r"^(?:density (?:of|at) |rate_share$)"  # curves that layers and thresholds show, or that are no measurement


def curve_data(folder: Path, keys: Sequence[str], share: float) -> tuple[dict[str, Any], str]:
    """Return the curves of the runs with these keys, and a sentence if they are thinned; `share` is of a page's room.

    A curve is a place in `keys`, a metric, and the start of its points in `epochs` and `values`; values have four
    digits.
    """
    table = curve_rows(folder)
    metrics = table["metric"].cat.categories
    drawn = ~metrics.str.contains(LEFT_OUT)
    table["run"] = _places(table["key"].cat.categories, keys)[table["key"].cat.codes]
    table = table[drawn[table["metric"].cat.codes] & (table["run"] >= 0)]
    table = table.drop_duplicates(["run", "epoch", "metric"], keep="last").dropna(subset=["value"])
    room = int(CURVE_POINTS * share)
    # A curve is one number, so that the few million points of curves without room need no sorting.
    curve = table["run"] * len(metrics) + metrics.argsort().argsort()[table["metric"].cat.codes]
    curves = numpy.unique(curve)
    runs = table["run"].nunique()
    table = table[curve.isin(curves[: max(room // FEWEST, 1)])]
    kept = table.astype({"metric": "str"}).sort_values(["run", "metric", "epoch"])
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
