"""The figures of the distributions that factors start from, and of the results that they lead to."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmark.errors import UsageError
from benchmark.records.schema import INITIAL_COLUMNS, Row
from benchmark.records.table import append
from plots.figures.initialization import LOOKS, draw, reached, starts, weights
from plots.report import report
from plots.results import load
from tests.builders import points, run, write


def start(depth: int, options: str, value: float, seed: int, nonzeros: int, test: float | None) -> Row:
    method = f"dwf[depth={depth}{options}]"
    text = f"depth={depth}{options},threshold=1.19e-07"
    return run(method, value, seed, nonzeros, test, test, options=text, knob="strength", depth=depth, experiment="init")


ROWS = [
    start(2, "", 7, 0, 100, 80),
    start(2, "", 7, 1, 300, 84),  # 82, at a mean density of 0.2
    start(2, "", 14, 0, 10, 70),
    start(2, ",init=ones", 7, 0, 100, 60),
    start(3, "", 7, 0, 100, 85),
    start(3, ",init=standard", 7, 0, 0, 10),  # nothing left
    start(3, ",init=ones", 7, 0, 100, None),
]


def initial(folder: Path) -> Path:
    """Write three bins of two initializations at two depths, and return the folder."""
    bins = [("root", depth, x, y, 1.8) for depth in (1, 2) for x, y in ((-1, 0.25), (0, 0.5), (1, 0.25))] + [
        ("ones", depth, x, y, 9.0) for depth in (1, 2) for x, y in ((-1, 0), (0, 1), (1, 0))
    ]
    append(folder / "initial_weights.csv", INITIAL_COLUMNS, bins)
    return folder


def lines(figure: Figure, panel: int) -> dict[str, Line2D]:
    return {str(line.get_label()): line for line in figure.axes[panel].lines if str(line.get_label())[0] != "_"}


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ("depth=3,init=truncated,epsilon=0.25,rescale=false,threshold=0.0001", "truncated"),
        ("depth=3,init=truncated,epsilon=0,rescale=false", "epsilon=0"),
        ("depth=8,init=root,epsilon=0.25,rescale=true,threshold=0.0001", "init=root,rescale=true"),
        ("", "truncated"),
    ],
)
def test_an_initialization_is_named_by_its_options_that_are_not_the_default(
    tmp_path: Path, options: str, name: str
) -> None:
    frame = load(write(tmp_path, [run("dwf[depth=3]", 7, 0, 100, 80, 80, options=options)]))
    assert starts(frame).tolist() == [name]


def test_no_two_initializations_look_the_same() -> None:
    assert len(set(LOOKS.values())) == len({colour for colour, _ in LOOKS.values()}) == len(LOOKS)


def test_distributions_are_drawn_by_initialization_and_depth_with_their_kurtosis(tmp_path: Path) -> None:
    figure = weights(initial(tmp_path))
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == [
        "root\nkurtosis 1.8, 1.8",
        "ones\nkurtosis 9, 9",
    ]
    numpy.testing.assert_allclose(points(lines(figure, 0)["depth 2"]), [(-1, 0.25), (0, 0.5), (1, 0.25)])
    # Zero has no place on a log scale.
    numpy.testing.assert_allclose(points(lines(figure, 1)["depth 1"])[:, 1], [numpy.nan, 1, numpy.nan])
    assert not figure.axes[2].axison


def test_means_over_seeds_are_joined_over_strengths(tmp_path: Path) -> None:
    figure = reached(load(write(tmp_path, ROWS)), "toy")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["depth 2", "depth 3"]
    assert set(lines(figure, 0)) == {"truncated", "init=ones"}
    numpy.testing.assert_allclose(points(lines(figure, 0)["truncated"]), [(5, 82), (100, 70)])
    assert set(lines(figure, 1)) == {"truncated"}
    (legend,) = figure.subfigs[0].subfigs[0].legends
    assert [text.get_text() for text in legend.get_texts()] == ["truncated", "init=ones"]
    caption = figure.get_supxlabel().replace("\n", " ")
    assert "left: init=standard at depth 3 (1 of 1), init=ones at depth 3 (1 of 1)." in caption
    assert "Lines join the strengths" in caption
    (tmp_path / "one").mkdir()
    alone = reached(load(write(tmp_path / "one", ROWS[:2])), "toy").get_supxlabel()
    assert "Lines join" not in alone and "Not drawn" not in alone


def test_of_one_start_that_two_versions_write_differently_the_last_row_counts(tmp_path: Path) -> None:
    old, new = start(3, ",epsilon=0", 7, 0, 100, 85), start(3, ",init=truncated,epsilon=0", 7, 0, 200, 88)
    figure = reached(load(write(tmp_path, [old, new])), "toy")
    numpy.testing.assert_allclose(points(lines(figure, 0)["epsilon=0"]), [(5, 88)])


def test_a_missing_table_of_weights_is_named_and_nothing_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no .*initial_weights\.csv"):
        report(write(tmp_path, ROWS))
    assert not (tmp_path / "figures").exists()


@pytest.mark.parametrize(
    ("text", "says"), [("", "holds no line"), ("root,1,none,0.5,3\n", "no number"), ("root,1\n", "torn")]
)
def test_an_incomplete_table_of_weights_is_rejected(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "initial_weights.csv").write_text(",".join(INITIAL_COLUMNS) + "\n" + text)
    with pytest.raises(UsageError, match=says):
        weights(tmp_path)


def test_networks_without_weights_do_not_break_the_axes(tmp_path: Path) -> None:
    frame = load(write(tmp_path, [start(3, "", 7, 0, 0, 10)]))
    assert all(path.stat().st_size for path in draw(initial(tmp_path), frame, tmp_path))
