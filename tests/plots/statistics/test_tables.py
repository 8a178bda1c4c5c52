"""Hypervolume, probability of improvement and attainment, worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy
import pandas
import pytest

from benchmark.records.schema import Row, Status
from plots.readings import read_at, seed_curves
from plots.results import load
from plots.statistics.attainment import attainment_difference, attainment_table
from plots.statistics.improvement import improvement_table
from plots.statistics.profiles import profile_table
from plots.statistics.volume import hypervolume_table
from tests.builders import pair, run, write

DENSE = pair("dense", 1, 1000, (90, 90), (90, 90))
STEPS = [*pair("a", 0.1, 100, (90, 90), (90, 88)), *pair("a", 0.01, 10, (85, 85), (85, 85))]  # at CR 10 and 100


def loaded(folder: Path, rows: list[Row]) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    runs = load(write(folder, rows))
    return seed_curves(runs[runs["method"] != "dense"]), runs


def test_the_hypervolume_is_the_area_above_the_reference_up_to_the_farthest_compression(tmp_path: Path) -> None:
    far = pair("b", 0.001, 1, (90, 90), (90.5, 89.5))  # CR 1,000 counts as 500: the whole rectangle on average
    (b, a) = hypervolume_table(*loaded(tmp_path, [*DENSE, *STEPS, *far])).to_dict("records")
    first = [math.log(10) * (top - 80) + math.log(10) * (85 - 80) for top in (90, 88)]
    assert a["hypervolume"] == pytest.approx(100 * sum(first) / 2 / (math.log(500) * 10))
    assert (b["method"], b["hypervolume"], b["n"], b["asked"]) == ("b", pytest.approx(100), 2, 2)
    assert (a["reference_compression"], a["reference"], a["dense"]) == (1, 80, 90)
    assert b["low"] < 100 < b["high"] and numpy.isnan(a["low"])  # more than 25 below the best


def test_there_is_no_hypervolume_without_dense(tmp_path: Path) -> None:
    assert hypervolume_table(*loaded(tmp_path, STEPS)).empty


def test_the_probability_of_improvement_counts_pairs_of_seeds_and_ties_as_half(tmp_path: Path) -> None:
    control = [*pair("gmp", 0.1, 100, (90, 90), (88, 87)), run("gmp", 0.01, 0, 10, 80, 80)]
    curves, _ = loaded(tmp_path, [*control, *STEPS])
    found = improvement_table(read_at(curves, (10, 100, 500)), "gmp").to_dict("records")
    # CR 10: 90 beats both, 88 beats 87 and ties with 88. CR 100: both beat the only one.
    expected = {"method": "a", "control": "gmp", "compared": 2, "n": 4, "asked": 4, "probability": (3.5 / 4 + 1) / 2}
    assert found == [pytest.approx(expected)]
    short = improvement_table(read_at(curves[curves["compression"] < 20], (10,)), "gmp")
    assert short[["n", "asked"]].to_numpy().tolist() == [[2, 2]]


def test_profiles_count_problems_of_task_compression_and_seed(tmp_path: Path) -> None:
    others = [*pair("gmp", 0.1, 100, (90, 90), (88, 87)), run("gmp", 0.01, 0, 10, 80, 84)]
    failed = replace(run("c", 0.1, 1, 100, 90, 90), status=Status.MEMORY)
    curves, runs = loaded(tmp_path, [*DENSE, *STEPS, *others, run("c", 0.1, 0, 100, 90, 89.5), failed])
    table = profile_table(read_at(curves, (10, 100)), runs).set_index(["method", "loss"])
    # Seed 0 at 10: a 90, c 89.5, gmp 88; seed 1 at 10: a 88, gmp 87, c none; seed 0 at 100: a 85, gmp 84, c none.
    shares = {"a": [1, 1, 1, 1], "c": [0, 1 / 3, 1 / 3, 1 / 3], "gmp": [0, 0, 2 / 3, 1]}
    assert {m: [table.loc[(m, x), "share"] for x in (0, 0.5, 1, 2)] for m in shares} == shares
    assert [tuple(table.loc[(m, 5), ["n", "asked", "tasks"]]) for m in shares] == [(3, 3, 1), (1, 3, 1), (3, 3, 1)]


def corners(table: pandas.DataFrame, name: str) -> list[list[float]]:
    own = table[table["attained_by"] == name]
    return own[["compression", "test_accuracy"]].to_numpy(dtype=float).round(6).tolist()


def test_surfaces_are_attained_by_one_seed_or_by_all(tmp_path: Path) -> None:
    table = attainment_table(*loaded(tmp_path, STEPS))
    assert corners(table, "best") == [[10, 90], [100, 85]]
    assert corners(table, "worst") == [[10, 88], [100, 85]]
    assert table["n"].unique().tolist() == [2]


def test_a_seed_whose_run_diverged_does_not_attain_its_value(tmp_path: Path) -> None:
    rows = [run("a", 0.1, 0, 100, 90, 90), run("a", 0.1, 1, 100, 90, 90), run("a", 0.01, 0, 10, 85, 85)]
    table = attainment_table(*loaded(tmp_path, [*rows, run("a", 0.01, 1, 10, None, None)]))
    assert corners(table, "worst") == [[10, 90]]


def test_a_seed_that_failed_is_asked_and_in_no_surface(tmp_path: Path) -> None:
    failed = [run("a", value, 2, 100, None, None, status=Status.MEMORY) for value in (0.1, 0.01)]
    table = attainment_table(*loaded(tmp_path, [*STEPS, *failed]))
    assert corners(table, "worst") == [[10, 88], [100, 85]]
    assert table[["n", "asked"]].drop_duplicates().to_numpy().tolist() == [[2, 3]]


def test_differences_of_attainment_are_shares_of_seeds_also_of_several_sizes(tmp_path: Path) -> None:
    one = [run("b", 0.1, 0, 100, 90, 89)]
    found = attainment_difference(*loaded(tmp_path, [*STEPS, *one]), "toy", "a", "b")

    def difference(compression: float, accuracy: float) -> float:
        return sum(s for x, y, far, top, s in found.tolist() if x < compression < far and y < accuracy < top)

    assert difference(9, 89.5) == pytest.approx(0.5)  # one of two seeds of a, and b not
    assert difference(9, 88.5) == pytest.approx(-0.5)  # one of two, and b
    assert difference(9, 87) == 0
    assert difference(50, 84) == pytest.approx(1)
