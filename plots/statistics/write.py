"""Write the tables of a comparison to the folder `statistics` of its results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas

from plots.answers import Answers
from plots.files import write_table
from plots.metrics import with_values
from plots.readings import LEVELS, read_at, seed_curves
from plots.results import VALUE, measured
from plots.statistics.accuracy import CONTROL, accuracy_table
from plots.statistics.attainment import attainment_table
from plots.statistics.improvement import improvement_table
from plots.statistics.mcnemar import mcnemar_table, resolution_table
from plots.statistics.profiles import profile_table
from plots.statistics.tolerance import tolerance_table
from plots.statistics.volume import hypervolume_table


def tables(runs: pandas.DataFrame, bits: Answers) -> Iterator[tuple[str, pandas.DataFrame]]:
    """Yield name and lines of each table; none unless a method besides dense has a value with two finished seeds.

    `bits` is the result of `plots.correct`.
    """
    others = runs[runs["method"] != "dense"]
    if not (measured(others).groupby(VALUE)["seed"].nunique() > 1).any():
        return
    curves = seed_curves(others)
    readings = read_at(curves, LEVELS)
    yield "accuracy", accuracy_table(readings, runs)
    yield "tolerance", tolerance_table(curves, runs)
    yield "hypervolume", hypervolume_table(curves, runs)
    yield "improvement", improvement_table(readings, CONTROL)
    yield "profiles", profile_table(readings, runs)
    yield "attainment", with_values(attainment_table(curves, runs), runs, "test_accuracy")
    yield "mcnemar", mcnemar_table(runs, bits, CONTROL)
    yield "resolution", resolution_table(runs, bits)


def write_statistics(folder: Path, runs: pandas.DataFrame, bits: Answers) -> list[Path]:
    """Write <folder>/statistics/<table>.csv for each table that has a line, and return the paths."""
    written = []
    for name, table in tables(runs, bits):
        path = folder / "statistics" / f"{name}.csv"
        if table.empty:
            path.unlink(missing_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        write_table(path, table)
        written.append(path)
    return written
