"""The figure of training curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

from benchmark.errors import UsageError
from benchmark.records.schema import CURVE_COLUMNS, Row
from benchmark.records.table import append
from plots.figures.dynamics import METRICS, courses, grid
from plots.report import report
from plots.results import load
from tests.builders import run, write


def follow(folder: Path, row: Row, **metrics: tuple[float, ...]) -> Row:
    """Write the curves of a run, one number an epoch; a metric that is not given stays at 1."""
    numbers = {name: metrics.get(name, (1, 1)) for name in METRICS}
    points = [(row.key, epoch, name, y) for name, course in numbers.items() for epoch, y in enumerate(course)]
    append(folder / "curves.csv", CURVE_COLUMNS, points)
    return row


def made(folder: Path) -> Path:
    """Write two seeds of a strength, one of another, a diverged run, and a run of another depth."""

    def dwf(depth: int, value: float, seed: int, **other: Any) -> Row:
        method = f"dwf[depth={depth}]"
        return run(method, value, seed, 100, 80, 80, knob="strength", depth=depth, experiment="dynamics", **other)

    rows = [
        follow(folder, dwf(3, 7, 0), val_accuracy=(10, 80), density=(1, 0.1)),
        follow(folder, dwf(3, 7, 1), val_accuracy=(20, 84), density=(1, 0.3)),
        follow(folder, dwf(3, 20, 0), density=(1, 0)),
        follow(folder, dwf(3, 20, 1, status="diverged"), density=(1, 1)),
        follow(folder, dwf(2, 7, 0)),
    ]
    return write(folder, rows)


def test_curves_have_a_mean_and_a_range_over_seeds(tmp_path: Path) -> None:
    lines = courses(made(tmp_path), load(tmp_path)).set_index(["method", "value", "row", "epoch"])
    accuracy = lines.loc[("dwf[depth=3]", 7, "val_accuracy"), ["mean", "min", "max"]]
    assert accuracy.to_numpy().tolist() == [[15, 10, 20], [82, 80, 84]]
    compression = lines.loc[("dwf[depth=3]", 7, "compression"), ["mean", "min", "max"]]
    # The compression is 1 / mean density and no mean of ratios.
    numpy.testing.assert_allclose(compression.to_numpy(), numpy.array([[1, 1, 1], [5, 10 / 3, 10]]))
    gone = lines.loc[("dwf[depth=3]", 20, "compression"), "mean"]
    numpy.testing.assert_array_equal(gone, [1, numpy.nan])  # nothing left at the end; the diverged run is in no mean


def test_columns_are_methods_and_lines_are_strengths(tmp_path: Path) -> None:
    frame = load(made(tmp_path))
    figure = grid(frame, courses(tmp_path, frame), "toy")
    axes = numpy.array(figure.axes).reshape(4, 2)
    assert [panel.get_title(loc="left") for panel in axes[0]] == ["dwf[depth=2]\n(shallow)", "dwf[depth=3]"]
    assert axes[0, 0].get_ylabel().startswith("validation") and axes[1, 0].get_yscale() == "log"
    assert 0 <= axes[0, 0].get_ylim()[0] < 10 and 84 < axes[0, 0].get_ylim()[1] < 90
    assert [line.get_ydata().tolist() for line in axes[0, 1].lines] == [[15, 82], [1, 1]]
    assert len({line.get_color() for line in axes[0, 1].lines}) == 2
    assert axes[0, 0].lines[0].get_color() == axes[0, 1].lines[0].get_color()  # one colour a strength
    assert "Runs not drawn: 1" in figure.get_supxlabel().replace("\n", " ")


def test_the_legend_holds_the_strengths_of_all_methods(tmp_path: Path) -> None:
    frame = load(made(tmp_path))
    (legend,) = grid(frame, courses(tmp_path, frame), "toy").subfigs[0].subfigs[0].legends
    assert [text.get_text() for text in legend.get_texts()] == ["7", "20"]  # the first panel has 7 alone


def test_missing_curves_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, [run("dwf[depth=3]", 7, 0, 100, 80, 80, experiment="dynamics")])
    with pytest.raises(UsageError, match="no curve of val_accuracy and density and relative_misalignment"):
        report(tmp_path)
    follow(tmp_path, run("dwf[depth=3]", 7, 0, 100, 80, 80), weight_norm=())
    with pytest.raises(UsageError, match="no curve of weight_norm;"):
        report(tmp_path)
