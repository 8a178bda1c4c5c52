"""The table of accuracies at given compressions."""

from __future__ import annotations

from pathlib import Path

import pandas
import pytest

from plots.readings import read_at, seed_curves
from plots.results import load
from plots.statistics.accuracy import accuracy_table
from tests.builders import pair, run, write

ROWS = [
    *pair("dense", 1, 1000, (92, 92), (92.0, 92.2)),
    *pair("gmp", 0.1, 100, (90, 90), (90.0, 90.2)),
    *pair("snip", 0.1, 100, (87, 87), (87.0, 87.2)),
    *pair("same", 0.1, 100, (87, 87), (90.0, 90.2)),
    *pair("random", 0.1, 100, (50, 50), (40.0, 60.0)),
    run("once", 0.1, 0, 100, 90, 90),
]


def table(folder: Path, margin: float = 0.5) -> pandas.DataFrame:
    runs = load(write(folder, ROWS))
    readings = read_at(seed_curves(runs[runs["method"] != "dense"]), [10])
    return accuracy_table(readings, runs, "gmp", margin).set_index("method")


def test_all_methods_have_means_and_those_near_the_best_intervals(tmp_path: Path) -> None:
    found = table(tmp_path)
    assert found["mean"].to_dict() == pytest.approx({"gmp": 90.1, "once": 90, "random": 50, "same": 90.1, "snip": 87.1})
    assert found["difference"].dropna().to_dict() == pytest.approx({"random": -40.1, "same": 0, "snip": -3.0})
    above = {"gmp": -2, "random": -42.1, "same": -2, "snip": -5}
    assert found["above_dense"].dropna().to_dict() == pytest.approx(above)
    assert set(found.index[found["difference_low"].notna()]) == {"same", "snip"}
    near = {"gmp", "same", "snip"}
    assert set(found.index[found["low"] < found["mean"]]) == set(found.index[found["low"].notna()]) == near
    assert set(found.index[found["top"]]) == {"gmp", "same"}
    assert found["n"].to_dict() == {"gmp": 2, "once": 1, "random": 2, "same": 2, "snip": 2}


def test_equivalence_is_tested_at_the_margin(tmp_path: Path) -> None:
    assert table(tmp_path)["equivalent"].dropna().to_dict() == {"same": True, "snip": False}
    (tmp_path / "narrower").mkdir()
    assert table(tmp_path / "narrower", margin=0.1)["equivalent"].dropna().to_dict() == {"same": False, "snip": False}


def test_no_readings_make_an_empty_table(tmp_path: Path) -> None:
    runs = load(write(tmp_path, ROWS))
    assert accuracy_table(read_at(seed_curves(runs), [10]).head(0), runs).empty
