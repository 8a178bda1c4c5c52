"""The accuracy axis, which is logarithmic in the error."""

from __future__ import annotations

import numpy
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from plots.axes import scale_scores, shrink, stretch, ticks


@pytest.mark.parametrize(("low", "high"), [(9, 99), (97, 98.2), (30, 75), (0, 100)])
def test_labels_of_the_accuracy_axis_are_round_and_apart(low: float, high: float) -> None:
    found = ticks(low, high)
    places = (stretch(found) - stretch(low)) / (stretch(high) - stretch(low))
    assert 4 <= len(found) <= 13
    assert all(tick == int(tick) for tick in found) or high - low < 2
    assert (numpy.diff(places) >= 1 / 12 - 1e-9).all()


@given(st.floats(0, 100))
def test_the_accuracy_scale_is_invertible(accuracy: float) -> None:
    assert float(shrink(stretch(accuracy))) == pytest.approx(accuracy, abs=1e-9)


@pytest.mark.parametrize(
    ("scores", "edges"),
    [
        ([-2, -3, -9], (-5.18, -1.82)),  # chance is -5
        ([-2, -3], (-3.06, -1.94)),
        ([-7, -9], (-9.12, -6.88)),  # nothing is above chance, so all is shown
        ([-7], (-7.00006, -6.99994)),
    ],
)
def test_a_front_of_scores_cuts_off_what_is_below_chance(scores: list[float], edges: tuple[float, float]) -> None:
    axes = Figure().subplots()
    assert scale_scores(axes, pandas.Series(scores, dtype=float), -5.0) == pytest.approx(edges[0])
    assert axes.get_ylim() == pytest.approx(edges)


def test_a_front_without_scores_keeps_its_axis() -> None:
    assert scale_scores(Figure().subplots(), pandas.Series(dtype=float), -5.0) == 0.0
