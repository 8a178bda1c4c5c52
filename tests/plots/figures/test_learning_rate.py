"""The maps of accuracy and compression over learning rates and strengths."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from benchmark.records.schema import Row
from plots.figures.learning_rate import draw, heatmaps
from plots.learning_rates import learning_rates
from plots.report import report
from plots.results import AT_LEARNING_RATE, load
from tests.builders import DWF, SEARCH, at_rate, write


def test_the_written_table_has_one_chosen_learning_rate_for_each_method(tmp_path: Path) -> None:
    path, *figures = draw(write(tmp_path, SEARCH), load(tmp_path, point=AT_LEARNING_RATE), tmp_path)
    assert path.read_text().splitlines()[:5] == [
        "task,method,learning_rate,trials,n,diverged,hypervolume,best_val_accuracy,chosen",
        "toy,dense,0.1,1,1,0,,88,false",
        "toy,dense,0.2,1,1,0,,90,true",
        "toy,dense,0.4,1,1,1,,,false",
        f"toy,{DWF},0.1,2,2,0,15,80,true",
    ]
    assert [figure.name for figure in figures] == ["learning-rate-toy.png", "learning-rate-toy.svg"]
    before = [file.read_bytes() for file in (path, *figures)]
    assert [file.read_bytes() for file in draw(tmp_path, load(tmp_path, point=AT_LEARNING_RATE), tmp_path)] == before


def maps(folder: Path, rows: list[Row]) -> list[Axes]:
    """Return the panels of the figure without its colour bars."""
    return [axes for axes in heatmaps(load(write(folder, rows), point=AT_LEARNING_RATE), "toy").axes if axes.lines]


def cells(axes: Axes) -> numpy.ndarray:
    """Return the values of a heat map, with -1 where a cell is empty."""
    values = axes.collections[0].get_array()
    assert values is not None
    return numpy.ma.filled(values, -1)


def test_cells_are_at_their_learning_rate_and_strength(tmp_path: Path) -> None:
    accuracy, compression = maps(tmp_path, SEARCH)
    assert [text.get_text() for text in compression.get_yticklabels()] == ["0.1", "0.2", "0.4"]
    assert [text.get_text() for text in compression.get_xticklabels()] == ["6", "12"]
    assert cells(accuracy).tolist() == [[80, 75], [77.5, -1], [10, 60]]  # without weights: chance
    numpy.testing.assert_allclose(cells(compression), [[10, 100], [100, -1], [-1, 10]])
    assert accuracy.collections[0].get_clim() == (70, 90)  # what is below is clipped


def test_diverged_cells_are_hatched_and_cells_without_weights_are_marked(tmp_path: Path) -> None:
    for axes in maps(tmp_path, SEARCH):
        (patch,) = axes.patches
        assert isinstance(patch, Rectangle) and patch.get_xy() == (1, 1) and patch.get_hatch()
        assert axes.lines[0].get_ydata() == [0.5]  # the chosen rate is the lowest row
    assert [(text.get_text(), text.get_position()) for text in axes.texts] == [("\N{INFINITY}", (0.5, 2.45))]


def test_methods_without_a_strength_are_in_the_table_and_have_no_map(tmp_path: Path) -> None:
    rows = [*SEARCH, at_rate("snip", 0.1, 0.1, 100, 85), at_rate("dwf[depth=2]", 0.8, 20, 100, 85)]
    frame = load(write(tmp_path, rows), point=AT_LEARNING_RATE)
    assert "snip" in set(learning_rates(frame)["method"])
    upper = [axes.get_title(loc="left") for axes in heatmaps(frame, "toy").axes[:2]]
    assert upper == ["dwf[depth=2]\n(shallow)", DWF]


def test_a_smoke_run_has_the_figures_of_its_experiment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [at_rate("dense", 0.1, 1, 1000, 90, experiment="learning-rate-smoke")]
    names = [path.name for path in report(write(tmp_path, rows)).paths]
    assert names == ["learning_rates.csv", "leaderboard.md"]  # nothing to map
    assert (tmp_path / "learning_rates.csv").read_text().splitlines()[1:] == ["toy,dense,0.1,1,1,0,,90,true"]
