"""The figure of how the imbalance of factors decays."""

from __future__ import annotations

import math
from pathlib import Path

import numpy
import pytest

from benchmark.errors import UsageError
from benchmark.records.schema import CURVE_COLUMNS, Row
from benchmark.records.table import append
from plots.figures.misalignment import METRICS, decay, grid
from plots.report import report
from plots.results import load
from tests.builders import points, run, write


def align(folder: Path, depth: int, value: float, imbalance: tuple[float, ...], knob: str = "strength") -> Row:
    """Write the curves of a run that has spent 0, 1/2 and all of its learning rate after 0, 1 and 2 epochs."""
    row = run(f"dwf[depth={depth}]", value, 0, 100, 80, 80, knob=knob, depth=depth, experiment="misalignment")
    columns = zip((0, 0.5, 1), imbalance, strict=True)
    points = [(row.key, epoch, *pair) for epoch, at in enumerate(columns) for pair in zip(METRICS, at, strict=True)]
    append(folder / "curves.csv", CURVE_COLUMNS, points)
    return row


def made(folder: Path) -> Path:
    rows = [
        align(folder, 2, 3, (0.5, 0.05, 0.005)),
        align(folder, 4, 10, (2, 0.2, 1e-12)),
        align(folder, 1, 3, (0, 0, 0)),  # one factor has nothing to be out of balance with
        align(folder, 3, 0.001, (1, 1, 1), knob="penalty"),
        run("snip", 0.1, 0, 100, 80, 80, experiment="misalignment"),
    ]
    return write(folder, rows)


def test_time_and_remaining_imbalance_equal_those_worked_out_by_hand(tmp_path: Path) -> None:
    lines = decay(made(tmp_path), load(tmp_path)).set_index(["method", "epoch"])
    assert set(lines.index.get_level_values("method")) == {"dwf[depth=2]", "dwf[depth=4]"}
    shallow, deep = lines.loc["dwf[depth=2]"], lines.loc["dwf[depth=4]"]
    assert shallow["time"].tolist() == [0, 3, 6]  # 4 x 3 / 2 = 6 at the end
    numpy.testing.assert_allclose(shallow["left"], [1, 0.1, 0.01])
    assert deep["time"].tolist() == [0, 5, 10]
    numpy.testing.assert_allclose(deep["left"], [1, 0.1, 5e-13])


def test_runs_are_lines_and_the_prediction_is_dashed(tmp_path: Path) -> None:
    frame = load(made(tmp_path))
    figure = grid(frame, decay(tmp_path, frame), "toy")
    (axes,) = figure.axes
    *runs, theory = axes.lines
    assert [points(line).tolist()[1] for line in runs] == [[3, pytest.approx(0.1)], [5, pytest.approx(0.1)]]
    x, y = points(theory).T
    numpy.testing.assert_allclose(y, numpy.exp(-x))
    assert x[-1] == 10 and theory.get_linestyle() == "--"
    assert axes.get_yscale() == "log" and 1e-9 <= axes.get_ylim()[0] < math.exp(-10)
    (legend,) = figure.subfigs[0].subfigs[0].legends
    assert [text.get_text() for text in legend.get_texts()] == [
        *("theory", "dwf[depth=2] (shallow)", "dwf[depth=4]", "strength 3", "strength 10")
    ]


def test_missing_curves_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, [run("snip", 0.1, 0, 100, 80, 80, experiment="misalignment")])
    with pytest.raises(UsageError, match="no curve of rate_share and imbalance"):
        report(tmp_path)


def test_factors_that_start_balanced_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, [align(tmp_path, 3, 3, (0, 0, 0))])
    with pytest.raises(UsageError, match="no imbalance that was more than 0"):
        report(tmp_path)
