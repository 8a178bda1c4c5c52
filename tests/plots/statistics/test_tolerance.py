"""Compression at a tolerance, worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from plots.readings import seed_curves
from plots.results import load
from plots.statistics.tolerance import tolerance_table
from tests.builders import pair, write


def test_misses_count_as_no_compression_and_ends_as_a_lower_bound(tmp_path: Path) -> None:
    rows = [
        *pair("dense", 1, 1000, (90, 90), (90, 90)),
        *pair("a", 0.1, 100, (90, 90), (90, 89)),
        *pair("a", 0.001, 1, (80, 80), (80, 83)),  # from CR 10 to 1,000: over ln 100
        *pair("b", 0.1, 100, (90, 90), (87, 90)),
        *pair("c", 0.1, 100, (90, 90), (90, 90)),
    ]
    runs = load(write(tmp_path, rows))
    table = tolerance_table(seed_curves(runs[runs["method"] != "dense"]), runs)
    found = {str(line["method"]): line for _, line in table[table["loss"] == 2].iterrows()}
    # a loses two points after a fifth, and a sixth, of the way.
    logs = [math.log(10) + math.log(100) * part for part in (1 / 5, 1 / 6)]
    mean, deviation = sum(logs) / 2, (logs[0] - logs[1]) / 2**0.5
    half = 12.7062 * deviation / 2**0.5  # t with one degree of freedom
    expected = [math.exp(mean), math.exp(mean - half), math.exp(mean + half)]
    assert found["a"][["compression", "low", "high"]].tolist() == pytest.approx(expected, rel=1e-4)
    counts = ["n", "asked", "missed", "beyond"]
    assert found["b"][[*counts, "compression"]].tolist() == [2, 2, 1, 1, pytest.approx(10**0.5)]
    assert found["c"][[*counts, "compression"]].tolist() == [2, 2, 0, 2, pytest.approx(10)]
    assert found["b"][["low", "high"]].isna().all() and found["c"][["low", "high"]].isna().all()


def test_there_is_no_tolerance_without_dense(tmp_path: Path) -> None:
    runs = load(write(tmp_path, pair("a", 0.1, 100, (90, 90), (90, 89))))
    assert tolerance_table(seed_curves(runs), runs).empty
