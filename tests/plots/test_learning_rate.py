from pathlib import Path
from typing import Any

import numpy
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from benchmark.records.schema import Row
from plots.figures.learning_rate import draw, heatmaps
from plots.learning_rates import at_chosen, rates
from plots.report import report
from plots.results import RATED, load
from tests.builders import run, write

DWF = "dwf[depth=3]"


def at(method: str, rate: float, value: float, nonzeros: int, val: float | None, seed: int = 0, **other: Any) -> Row:
    """A run at a learning rate."""
    knob = {"dense": "none", "snip": "density"}.get(method, "strength")
    test = None if val is None else val - 1
    named = {"experiment": "learning-rate", "knob": knob, "key": f"{method} {rate} {value} {seed}"}
    return run(method, value, seed, nonzeros, val, test, learning_rate=rate, **(named | other))


# Dense reaches 90, so that areas stand on 70. CR 10 and 100 are 1 and 2 in log10.
ROWS = [
    at("dense", 0.2, 1, 1000, 90),
    at("dense", 0.1, 1, 1000, 88),
    at("dense", 0.4, 1, 1000, None),
    at(DWF, 0.4, 6, 0, 95),  # no weight left
    at(DWF, 0.4, 12, 100, 60),  # of no use
    at(DWF, 0.2, 6, 10, 77.5),  # 2 x 7.5 = 15
    at(DWF, 0.2, 12, 10, None),
    at(DWF, 0.1, 6, 100, 80),  # 1 x 10, and then
    at(DWF, 0.1, 12, 10, 75),  # 1 x 5: 15 again
]


def table(folder: Path, rows: list[Row]) -> dict[tuple[str, float], tuple[Any, ...]]:
    lines = rates(load(write(folder, rows), point=RATED)).set_index(["method", "learning_rate"])
    return {place: tuple(line) for place, line in zip(lines.index, lines.drop(columns="task").to_numpy(), strict=True)}


def test_hypervolumes_and_choice_by_hand(tmp_path: Path) -> None:
    found = table(tmp_path, ROWS)
    volumes = {place: line for place, line in found.items() if place[0] == DWF}
    assert volumes == {
        (DWF, 0.1): (2, 0, pytest.approx(15), 80, True),  # the smaller of two as good
        (DWF, 0.2): (2, 1, pytest.approx(15), 77.5, False),
        (DWF, 0.4): (2, 0, 0, 95, False),
    }
    assert [found["dense", rate][-1] for rate in (0.1, 0.2, 0.4)] == [False, True, False]
    assert [found["dense", rate][1] for rate in (0.1, 0.2, 0.4)] == [0, 0, 1]
    assert all(numpy.isnan(found["dense", rate][2]) for rate in (0.1, 0.2, 0.4))


def test_compression_beyond_500_counts_as_500(tmp_path: Path) -> None:
    rows = [at(DWF, 0.1, 6, 1, 80), at(DWF, 0.2, 6, 2, 80), at("dense", 0.1, 1, 1000, 90)]  # CR 1000 and 500
    found = table(tmp_path, rows)
    assert found[DWF, 0.1][2] == found[DWF, 0.2][2] == pytest.approx(10 * numpy.log10(500))


def test_of_equals_the_one_of_lower_validation_loss_is_chosen(tmp_path: Path) -> None:
    rows = [at("dense", rate, 1, 1000, 90, val_loss=loss) for rate, loss in ((0.1, 0.5), (0.2, 0.3), (0.4, 0.3))]
    assert [line[-1] for line in table(tmp_path, rows).values()] == [False, True, False]


def test_seeds_are_averaged_before_areas_are_taken(tmp_path: Path) -> None:
    rows = [at(DWF, 0.1, 6, 50, 78), at(DWF, 0.1, 6, 150, 82, seed=1), at("dense", 0.1, 1, 1000, 90)]
    assert table(tmp_path, rows)[DWF, 0.1] == (2, 0, pytest.approx(10), 80, True)  # CR 10, not the mean of 20 and 6.7


def test_without_dense_areas_stand_twenty_points_below_the_best(tmp_path: Path) -> None:
    rows = [at(DWF, 0.1, 6, 100, 80), at(DWF, 0.2, 6, 10, 65)]
    assert [line[2] for line in table(tmp_path, rows).values()] == pytest.approx([20, 10])


def test_where_everything_failed_the_smallest_rate_is_chosen(tmp_path: Path) -> None:
    rows = [at("dense", 0.1, 1, 1000, 90), *(at("snip", rate, 0.1, 100, None) for rate in (0.4, 0.2))]
    assert {rate for (method, rate), line in table(tmp_path, rows).items() if method == "snip" and line[-1]} == {0.2}


def test_the_table_on_disk_has_one_choice_a_method(tmp_path: Path) -> None:
    path, *figures = draw(write(tmp_path, ROWS), load(tmp_path, point=RATED), tmp_path)
    assert path.read_text().splitlines()[:5] == [
        "task,method,learning_rate,trials,diverged,hypervolume,best_val_accuracy,chosen",
        "toy,dense,0.1,1,0,,88,false",
        "toy,dense,0.2,1,0,,90,true",
        "toy,dense,0.4,1,1,,,false",
        f"toy,{DWF},0.1,2,0,15,80,true",
    ]
    assert [figure.name for figure in figures] == ["learning-rate-toy.png", "learning-rate-toy.svg"]
    before = [file.read_bytes() for file in (path, *figures)]
    assert [file.read_bytes() for file in draw(tmp_path, load(tmp_path, point=RATED), tmp_path)] == before


def maps(folder: Path, rows: list[Row]) -> list[Axes]:
    """The panels, without colour bars."""
    return [axes for axes in heatmaps(load(write(folder, rows), point=RATED), "toy").axes if axes.lines]


def cells(axes: Axes) -> numpy.ndarray:
    """Return the values of a heat map, with -1 where a cell is empty."""
    values = axes.collections[0].get_array()
    assert values is not None
    return numpy.ma.filled(values, -1)


def test_cells_stand_at_their_rate_and_strength(tmp_path: Path) -> None:
    accuracy, compression = maps(tmp_path, ROWS)
    assert [text.get_text() for text in compression.get_yticklabels()] == ["0.1", "0.2", "0.4"]
    assert [text.get_text() for text in compression.get_xticklabels()] == ["6", "12"]
    assert cells(accuracy).tolist() == [[80, 75], [77.5, -1], [95, 60]]
    numpy.testing.assert_allclose(cells(compression), [[10, 100], [100, -1], [-1, 10]])
    assert accuracy.collections[0].get_clim() == (70, 95)  # what is below is clipped


def test_what_diverged_is_hatched_and_what_is_empty_is_marked(tmp_path: Path) -> None:
    for axes in maps(tmp_path, ROWS):
        (patch,) = axes.patches
        assert isinstance(patch, Rectangle) and patch.get_xy() == (1, 1) and patch.get_hatch()
        assert axes.lines[0].get_ydata() == [0.5]  # the chosen rate is the lowest row
    assert [(text.get_text(), text.get_position()) for text in axes.texts] == [("\N{INFINITY}", (0.5, 2.45))]


def test_masks_have_rates_but_no_panel(tmp_path: Path) -> None:
    rows = [*ROWS, at("snip", 0.1, 0.1, 100, 85), at("dwf[depth=2]", 0.8, 20, 100, 85)]
    assert ("snip", 0.1) in table(tmp_path, rows)
    upper = [axes.get_title(loc="left") for axes in heatmaps(load(tmp_path, point=RATED), "toy").axes[:2]]
    assert upper == ["dwf[depth=2]\n(shallow)", DWF]


def test_front_and_leaderboard_show_each_method_at_its_chosen_rate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = at_chosen(load(write(tmp_path, ROWS), point=RATED))
    assert set(zip(chosen["method"], chosen["learning_rate"], strict=True)) == {("dense", 0.2), (DWF, 0.1)}
    written = report(tmp_path)
    assert len(written.runs) == len(chosen) == 3
    assert [path.name for path in written.paths] == [
        *("front-toy.png", "front-toy.svg"),
        *("learning_rates.csv", "learning-rate-toy.png", "learning-rate-toy.svg", "leaderboard.md"),
    ]
    board = (tmp_path / "leaderboard.md").read_text()
    assert "dense: 89.00 (1)" in board and "79.00 (1)" in board and "76.50" not in board


def test_a_smoke_run_has_its_experiments_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [at("dense", 0.1, 1, 1000, 90, experiment="learning-rate-smoke")]
    names = [path.name for path in report(write(tmp_path, rows)).paths]
    assert names == ["front-toy.png", "front-toy.svg", "learning_rates.csv", "leaderboard.md"]  # nothing to map
    assert (tmp_path / "learning_rates.csv").read_text().splitlines()[1:] == ["toy,dense,0.1,1,0,,90,true"]
