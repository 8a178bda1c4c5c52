"""Objectives of methods, compared with those of factors."""

from __future__ import annotations

import math

import pandas
import pytest

from plots.statistics.objectives import to_factors

PLACE = {"task": "a", "exponent": 1.0, "penalty": 0.5}


def lines(**objectives: list[float]) -> pandas.DataFrame:
    rows = [PLACE | {"method": name, "objective": value} for name, own in objectives.items() for value in own]
    return pandas.DataFrame(rows)


def test_the_ratio_to_factors_is_of_geometric_means_with_welchs_interval() -> None:
    # The logarithms of factors are 0 and 2, of variance 2; the others' are 3 three times. So the difference is 2, its
    # standard error is sqrt(2 / 2) = 1 with one degree of freedom, and Student's t there is 12.7062.
    table = to_factors(lines(**{"dwf[depth=2]": [1.0, math.exp(2)], "rewa": [math.exp(3)] * 3}))
    ((method, *found),) = table[["method", "to_factors", "to_factors_low", "to_factors_high"]].to_numpy().tolist()
    assert method == "rewa"
    assert [math.log(number) for number in found] == pytest.approx([2, 2 - 12.7062, 2 + 12.7062], abs=1e-4)


def test_one_seed_has_a_ratio_without_an_interval_and_a_place_without_factors_has_no_line() -> None:
    (ratio, low, high) = to_factors(lines(dwf=[2.0], rewa=[3.0])).iloc[0][-3:]
    assert ratio == pytest.approx(1.5) and math.isnan(low) and math.isnan(high)
    assert to_factors(lines(rewa=[3.0, 4.0])).empty
