"""Write the tables of a comparison to the folder `statistics` of its results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas

from plots.readings import LEVELS, read_at, seed_curves
from plots.results import VALUE, measured
from plots.statistics.accuracy import accuracy_table
from plots.statistics.tolerance import tolerance_table


def tables(runs: pandas.DataFrame) -> Iterator[tuple[str, pandas.DataFrame]]:
    """Yield name and lines of each table; none unless a method besides dense has a value with two finished seeds."""
    others = runs[runs["method"] != "dense"]
    if not (measured(others).groupby(VALUE)["seed"].nunique() > 1).any():
        return
    curves = seed_curves(others)
    yield "accuracy", accuracy_table(read_at(curves, LEVELS), runs)
    yield "tolerance", tolerance_table(curves, runs)


def write_statistics(folder: Path, runs: pandas.DataFrame) -> list[Path]:
    """Write <folder>/statistics/<table>.csv for each table, and return the paths."""
    written = []
    for name, table in tables(runs):
        written.append(folder / "statistics" / f"{name}.csv")
        written[-1].parent.mkdir(exist_ok=True)
        table.to_csv(written[-1], index=False, float_format="%.6g", lineterminator="\n")
    return written
