"""The figures that compare methods at equal compression."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from matplotlib.figure import Figure

from benchmark.records.schema import Row
from plots.figures.below_dense import below_dense
from plots.figures.forest import forest
from plots.results import load
from tests.builders import pair, points, write

ROWS = [
    *pair("dense", 1, 1000, (92, 92), (91, 93), family="dense"),
    *pair("gmp", 0.1, 100, (91, 91), (90.9, 91.1), family="during training"),
    *pair("gmp", 0.01, 10, (88, 88), (87.9, 88.1), family="during training"),
    *pair("dwf[depth=3]", 0.1, 100, (90, 90), (88.9, 89.1), family="factorization"),
    *pair("dwf[depth=3]", 0.01, 10, (89, 89), (87.9, 88.1), family="factorization"),
    *pair("random", 0.1, 100, (50, 50), (50, 50), family="before training"),
]


def lines(figure: Figure) -> dict[str, list[float]]:
    axes = figure.axes[0]
    return {str(line.get_label()): list(numpy.asarray(line.get_ydata(), dtype=float)) for line in axes.get_lines()}


def test_lines_are_points_above_the_mean_of_dense(tmp_path: Path) -> None:
    drawn = lines(below_dense(load(write(tmp_path, ROWS))))
    assert drawn["gmp"][0] == pytest.approx(-1)  # before CR 10, the network of CR 10
    assert min(drawn["gmp"]) == pytest.approx(-4, abs=0.1)
    assert drawn["dwf[depth=3]"][0] == pytest.approx(-3)


def test_a_task_without_dense_has_no_panel(tmp_path: Path) -> None:
    figure = below_dense(load(write(tmp_path, ROWS[2:])))
    assert "gmp" not in lines(figure)


def test_the_forest_marks_what_cannot_be_told_apart(tmp_path: Path) -> None:
    figure = forest(load(write(tmp_path, ROWS)), "toy")
    panels = {int(axes.get_title("left").split()[1]): axes for axes in figure.axes}
    marks = {panel: [line for line in axes.get_lines() if line.get_marker() == "o"] for panel, axes in panels.items()}
    assert [points(line)[0, 0] for line in marks[5]] == pytest.approx([-2])
    assert marks[5][0].get_markerfacecolor() != "white"
    assert [points(line)[0, 0] for line in marks[100]] == pytest.approx([0])
    assert marks[100][0].get_markerfacecolor() == "white"
    assert 200 not in marks  # the control was not run so far
    assert [text.get_text().strip() for text in panels[5].texts] == ["-41.0"]


@pytest.mark.parametrize(("rows", "many"), [(ROWS, True), ([ROWS[0], ROWS[2], ROWS[4]], False)])
def test_the_caption_names_only_what_is_drawn(tmp_path: Path, rows: list[Row], many: bool) -> None:
    caption = " ".join(below_dense(load(write(tmp_path, rows))).get_supxlabel().split())
    assert ("Lines: means over seeds" in caption) is many
    assert ("Lines: one seed" in caption) is not many
    assert ("Bands: 95 % intervals" in caption) is many
    assert "Grey" not in caption
