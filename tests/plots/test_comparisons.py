"""Intervals and groups, against values worked out by hand and simulated tables."""

from __future__ import annotations

import numpy
import pandas
import pytest

from plots.comparisons import comparison_table, differences, intervals, near_best, pooled, top_group


def test_the_pooled_deviation_is_that_of_all_samples_around_their_own_means() -> None:
    assert pooled({"a": [1, 3], "b": [10, 14]}) == (pytest.approx(((1 + 1 + 4 + 4) / 2) ** 0.5), 2)
    assert numpy.isnan(pooled({"a": [1], "b": [2]})[0])


def test_an_interval_is_that_of_students_t() -> None:
    found = intervals({"a": [1, 3], "b": [10, 14]}).loc["a"]
    half = 4.302653 * 5**0.5 / 2**0.5  # the 97.5 % quantile of t with two degrees of freedom
    assert list(found) == pytest.approx([2, 2, 2 - half, 2 + half], abs=1e-5)


def test_one_comparison_by_dunnett_is_a_t_test() -> None:
    found = differences({"control": [1, 3], "a": [10, 14]}, "control").loc["a"]
    half = 4.302653 * 5**0.5
    assert list(found) == pytest.approx([10, 10 - half, 10 + half], abs=0.1)  # scipy integrates to 1 %


def test_intervals_are_missing_without_a_second_run() -> None:
    found = differences({"control": [1], "a": [2]}, "control").loc["a"]
    assert found["difference"] == 1
    assert numpy.isnan(found["low"])
    assert top_group({"control": [1], "a": [2]}) == set()


def test_ten_equal_methods_are_all_in_the_top_group_in_nine_of_ten_tables() -> None:
    generator = numpy.random.default_rng(0)
    tables = [{f"m{i}": generator.normal(size=3).tolist() for i in range(10)} for _ in range(300)]
    assert sum(len(top_group(table)) == 10 for table in tables) >= 270


def test_a_method_far_below_the_best_is_not_in_the_top_group() -> None:
    assert top_group({"a": [90.0, 90.2], "b": [89.9, 90.3], "c": [80.0, 80.2]}) == {"a", "b"}


def test_collapsed_methods_are_left_out() -> None:
    assert set(near_best({"a": [90, 90], "b": [85, 85], "c": [84, 84.9]})) == {"a", "b"}


def test_the_table_has_means_for_all_and_intervals_for_those_near_the_best() -> None:
    accuracies = {"gmp": (90.0, 90.2), "snip": (87.0, 87.2), "random": (40.0, 60.0), "once": (90.0,)}
    rows = [("toy", name, seed, 10, x) for name, own in accuracies.items() for seed, x in enumerate(own)]
    readings = pandas.DataFrame(rows, columns=["task", "method", "seed", "at", "test_accuracy"])
    table = comparison_table(readings, "gmp").set_index("method")
    assert table["mean"].to_dict() == pytest.approx({"gmp": 90.1, "once": 90, "random": 50, "snip": 87.1})
    assert table["difference"].dropna().to_dict() == pytest.approx({"snip": -3.0})
    assert table["low"].notna().to_dict() == {"gmp": True, "once": False, "random": False, "snip": True}
    assert (table["low"] < table["mean"]).to_dict() == {"gmp": True, "once": False, "random": False, "snip": True}
    assert table["top"].to_dict() == {"gmp": True, "once": False, "random": False, "snip": False}
    assert comparison_table(readings.head(0), "gmp").empty
