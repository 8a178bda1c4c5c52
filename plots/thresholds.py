"""The zero threshold of penalty runs: a given magnitude, or the one that validation data choose for each run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import numpy
import pandas

from benchmark.errors import UsageError
from benchmark.records.schema import THRESHOLD_COLUMNS
from plots.metrics import with_scores
from plots.tables import read_table

Threshold = float | Literal["validated"]

# Columns that a run has at its own threshold alone.
OWN = [
    *("effective_nonzeros", "effective_density", "effective_compression"),
    *("total_compression", "macs_sparse", "theoretical_speedup", "file_bytes"),
]


def parse_threshold(text: str) -> Threshold:
    """Return the threshold that an option names. Raises UsageError for anything but a magnitude or "validated"."""
    if text == "validated":
        return "validated"
    try:
        threshold = float(text)
    except ValueError:
        threshold = math.nan
    if not 0 <= threshold < math.inf:
        raise UsageError(f"a threshold is a magnitude, such as 1e-4, or validated, not {text!r}")
    return threshold


def at_threshold(runs: pandas.DataFrame, path: Path, threshold: Threshold | str) -> pandas.DataFrame:
    """Return the runs with the counts and accuracies that thresholds.csv holds for penalty runs at a threshold.

    Raises UsageError if it does not hold them for all measured penalty runs.
    """
    threshold = parse_threshold(str(threshold))
    penalized = runs["penalty"].notna() & (runs["knob"] != "density")  # l1 has a penalty, but ends with a mask
    if not penalized.any():
        raise UsageError(f"{path.parent} holds no run of a penalty, and a zero threshold changes no other run")
    penalized &= runs["status"] == "ok"
    table = read_table(path, THRESHOLD_COLUMNS, THRESHOLD_COLUMNS[1:])
    table = table[table["key"].isin(runs.loc[penalized, "key"])].drop_duplicates(["key", "threshold"], keep="last")
    table = with_scores(table, table["key"].map(runs.drop_duplicates("key").set_index("key")["better"]))
    chosen = validated(table) if threshold == "validated" else table[numpy.isclose(table["threshold"], threshold, 1e-3)]
    if chosen.empty and threshold != "validated":
        there = ", ".join(f"{number:g}" for number in sorted(set(table["threshold"]))) or "none"
        raise UsageError(f"{path} holds no threshold {threshold:g}; thresholds are {there}")
    if lacking := int((penalized & ~runs["key"].isin(chosen["key"])).sum()):
        asked = "what chooses a threshold" if threshold == "validated" else f"threshold {threshold:g}"
        raise UsageError(f"{path} does not hold {asked} for {lacking} runs; give their experiment a new folder")
    columns = ["threshold", "nonzeros", "density", "val_accuracy", "test_accuracy"]
    runs = runs.astype(dict.fromkeys(columns, float)).set_index("key")  # a column of whole numbers takes no others
    chosen = chosen.set_index("key")
    runs.update(chosen[columns])
    # These were counted at the run's own threshold alone.
    runs.loc[chosen.index, OWN] = numpy.nan
    return runs.reset_index()


def validated(table: pandas.DataFrame) -> pandas.DataFrame:
    """Return one row of thresholds.csv for each key: the largest threshold that costs nothing on validation data.

    A threshold costs nothing if it lowers the run's validation accuracy by at most the standard error of this
    difference. The error is that of paired answers: with k examples of n whose answer turns from right to wrong or
    back, it is at most sqrt(k) / n. So nothing is fixed in advance but one standard error, the usual rule for the
    simplest model that is as good as the best (Breiman et al., Classification and Regression Trees, 1984). A smaller
    threshold may cost something: at one that turns two examples, both to wrong, chance decides. Test data choose
    nothing. Runs of older versions, which have no errors, are left out.

    The widest gap of log |w|, which the theory of deep weight factorization promises for depths from 3 on, is no rule:
    in trials of depths 2 to 4 it was between the two smallest or the two largest weights, and kept all or none.
    """
    table = table[table["val_difference_se"].notna()].sort_values(["key", "threshold"])
    first = table.groupby("key")["val_accuracy"].transform("first")
    # The last term allows for the rounding of the CSV.
    free = first - table["val_accuracy"] <= table["val_difference_se"] + 1e-6
    return table[free].drop_duplicates("key", keep="last")
