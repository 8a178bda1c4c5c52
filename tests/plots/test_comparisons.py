"""Intervals and groups, against values worked out by hand and simulated tables."""

from __future__ import annotations

import numpy
import pytest

from plots.comparisons import differences, equivalent, intervals, near_best, pooled, top_group


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
    assert list(found) == pytest.approx([10, 10 - half, 10 + half], abs=1e-4)


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


def test_a_method_is_equivalent_if_its_simultaneous_interval_lies_within_the_margin() -> None:
    samples = {"control": [90.0, 90.2, 90.4], "same": [90.1, 90.2, 90.3], "off": [90.3, 90.5, 90.7]}
    assert differences(samples, "control", 0.9)["high"].gt(0.5).to_dict() == {"same": False, "off": True}
    assert equivalent(samples, "control", 0.5) == {"same"}
    assert equivalent(samples, "control", 0.8) == {"same", "off"}
    assert equivalent({"control": [90.0], "same": [90.0]}, "control", 0.5) == set()  # nothing is known of the spread
