"""The accuracy axis, which is logarithmic in the error."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plots.axes import shrink, stretch
from plots.figures.fronts import front
from plots.results import load
from tests.builders import run, write


@pytest.mark.parametrize(("low", "high"), [(9, 99), (97, 98.2), (30, 75), (0, 100)])
def test_labels_of_the_accuracy_axis_are_round_and_apart(tmp_path: Path, low: float, high: float) -> None:
    rows = [run("snip", 0.1, 0, 100, high, high), run("snip", 0.01, 0, 10, low, low)]
    axes = front(load(write(tmp_path, rows)), "toy").axes[0]
    bottom, top = stretch(axes.get_ylim())
    places = (stretch(axes.get_yticks()) - bottom) / (top - bottom)
    assert 4 <= len(places) <= 13
    assert all(tick == int(tick) for tick in axes.get_yticks()) or high - low < 2
    assert (numpy.diff(places) >= 1 / 12 - 1e-9).all()


@given(st.floats(0, 100))
def test_the_accuracy_scale_is_invertible(accuracy: float) -> None:
    assert float(shrink(stretch(accuracy))) == pytest.approx(accuracy, abs=1e-9)
