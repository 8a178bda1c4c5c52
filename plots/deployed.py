"""The costs of networks that were written to files and timed, against those of the dense network."""

from __future__ import annotations

from pathlib import Path

import pandas

from benchmark.records.schema import INFERENCE_COLUMNS
from plots.tables import read_table

TIMINGS = ("batch", "threads", "ms", "ms_low", "ms_high", "speedup", "speedup_low", "speedup_high", "memory_mb")


def read_timings(path: Path) -> pandas.DataFrame:
    """Return the rows of an inference.csv; of repeated turns of a network, batch and number of threads the last."""
    table = read_table(path, INFERENCE_COLUMNS, TIMINGS)
    same = ["key", "batch", "threads"]
    turns = (table["form"] == "dense").groupby([table[column] for column in same]).cumsum()  # each begins with dense
    return table[turns == turns.groupby([table[column] for column in same]).transform("max")]


def with_deployed(runs: pandas.DataFrame, folder: Path) -> pandas.DataFrame:
    """Return the runs with the columns `file_compression` and `measured_speedup`, NaN where nothing was measured.

    The first is the size of the dense network's file / that of the run's. The second has the batch 1 and one thread:
    the time of the dense network in its fastest form / that of the sparse network in its fastest form, which may be a
    dense one, by the medians of inference.csv. Runs that are counted at another threshold than their own have none.
    """
    own = runs["file_bytes"].notna()
    dense = runs[own & (runs["method"] == "dense")].groupby("task")["file_bytes"].mean()
    speedups = pandas.Series(dtype=float)
    if (path := folder / "inference.csv").is_file():
        table = read_timings(path).query("batch == 1 and threads == 1")
        whole = table[table["form"].str.contains("dense")].groupby("key")["ms"].min()
        speedups = whole / table.groupby("key")["ms"].min()
    return runs.assign(
        file_compression=runs["task"].map(dense) / runs["file_bytes"],
        measured_speedup=runs["key"].map(speedups).where(own & (runs["method"] != "narrow")).astype(float),
    )
