"""The accuracy axis, which is logarithmic in the error."""

from __future__ import annotations

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plots.axes import shrink, stretch, ticks


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
