"""Runs that are compared example by example."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from numpy.typing import NDArray
from scipy import stats

from benchmark.records.bits import encode, packed
from plots.answers import Answers
from plots.results import load
from plots.statistics.mcnemar import mcnemar_table, p_value, resolution_notes, resolution_table
from tests.builders import pair, run, write


def answers(bits: dict[str, NDArray[numpy.bool_]]) -> Answers:
    return Answers({key: (len(right), packed(encode(right), len(right))) for key, right in bits.items()})


def test_the_p_value_is_that_of_the_binomial_test() -> None:
    assert float(p_value(1, 5)) == pytest.approx(2 * (1 + 6) / 64)
    assert float(p_value(40, 70)) == pytest.approx(stats.binomtest(40, 110).pvalue)
    assert p_value(numpy.array([3, 0]), numpy.array([3, 0])).tolist() == [1, 1]


def test_a_run_is_compared_with_dense_and_with_the_control_of_equal_compression(tmp_path: Path) -> None:
    rows = [
        *pair("dense", 1, 1000, (90, 90), (90, 90)),
        run("gmp", 0.1, 0, 100, 80, 80),
        run("gmp", 0.05, 0, 50, 80, 80),
        run("snip", 0.1, 0, 100, 80, 80),
        run("unbitten", 0.1, 0, 100, 80, 80),
    ]
    runs = load(write(tmp_path, rows))
    bits = {row.key: numpy.zeros(8, dtype=bool) for row in rows if row.method != "unbitten"}
    bits[rows[4].key][:3] = True
    bits[rows[2].key][2:4] = True
    table = mcnemar_table(runs, answers(bits), "gmp").set_index(["method", "against", "against_value"])
    assert sorted(table.index) == [("gmp", "dense", 1), ("gmp", "dense", 1), ("snip", "dense", 1), ("snip", "gmp", 0.1)]
    line = table.loc[[("snip", "gmp", 0.1)]].iloc[0]
    assert line[["examples", "only_method", "only_against", "difference", "p"]].tolist() == [8, 2, 1, 12.5, 1]
    assert mcnemar_table(runs, Answers({}), "gmp").empty


def test_runs_on_two_test_sets_are_not_compared_with_each_other(tmp_path: Path) -> None:
    rows = [*pair("dense", 1, 1000, (90, 90), (90, 90)), *pair("snip", 0.1, 100, (80, 80), (80, 80))]
    runs = load(write(tmp_path, rows))
    bits = {row.key: numpy.arange(8 + 2 * row.seed) < 5 for row in rows}  # as after a task's version rose in between
    assert mcnemar_table(runs, answers(bits), "gmp")["examples"].tolist() == [8, 10]
    bits[rows[2].key] = numpy.zeros(9, dtype=bool)
    assert mcnemar_table(runs, answers(bits), "gmp")["examples"].tolist() == [10]
    assert resolution_table(runs, answers(bits)).empty


def test_the_floor_is_the_smallest_difference_that_the_exact_test_finds(tmp_path: Path) -> None:
    rows = pair("dense", 1, 1000, (90, 90), (90, 90))
    bits = {row.key: numpy.zeros(100, dtype=bool) for row in rows}
    bits[rows[0].key][:20] = True  # the seeds differ in 20 examples: 5 to 15 is p 0.041, 6 to 14 is 0.115
    (line,) = resolution_table(load(write(tmp_path, rows)), answers(bits)).to_dict("records")
    assert line == {
        **{"task": "toy", "examples": 100, "dense_runs": 2, "asked": 2, "step": 1.0, "differing": 20.0, "floor": 10.0},
        "standard_error": pytest.approx(3.0),
    }


def test_seeds_disagree_by_the_mean_over_all_pairs(tmp_path: Path) -> None:
    rows = [run("dense", 1, seed, 1000, 90, 90) for seed in range(3)]
    bits = {row.key: numpy.arange(10) < right for row, right in zip(rows, (5, 6, 9), strict=True)}
    (line,) = resolution_table(load(write(tmp_path, rows)), answers(bits)).to_dict("records")
    assert line["differing"] == pytest.approx((10 + 40 + 30) / 3)


def test_two_seeds_that_agree_resolve_no_difference(tmp_path: Path) -> None:
    rows = pair("dense", 1, 1000, (90, 90), (90, 90))
    notes = resolution_notes(
        load(write(tmp_path, rows)), answers({row.key: numpy.ones(10, dtype=bool) for row in rows})
    )
    assert "finds no difference at 5 %" in notes and "nan" not in notes
