"""The front: the runs that validation chooses, drawn with their test accuracy."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from benchmark.errors import UsageError
from benchmark.records.schema import Row
from plots.figures.fronts import draw, front, members
from plots.looks import look
from plots.results import load
from plots.summaries import summary
from tests.builders import GOLDEN, pair, points, run, write


def drawn(figure: Figure) -> dict[str, Line2D]:
    """Return the labelled lines of a figure."""
    return {str(line.get_label()): line for line in figure.axes[0].lines if not str(line.get_label()).startswith("_")}


def test_validation_chooses_the_front_and_test_accuracy_does_not(tmp_path: Path) -> None:
    lines = summary(load(write(tmp_path)))
    chosen = members(lines[lines["method"] == "snip"])
    assert chosen["value"].tolist() == [0.1, 0.05, 0.01]  # not 0.2, which has the best test accuracy
    assert members(lines[lines["method"] == "dwf[depth=3]"])["value"].tolist() == [1]  # not the empty network


grid = st.integers(0, 6)


@given(st.lists(st.tuples(grid, grid, grid), max_size=12))
def test_the_front_holds_the_runs_that_no_other_run_dominates(points: list[tuple[int, int, int]]) -> None:
    lines = pandas.DataFrame(points, columns=["compression", "val_mean", "test_mean"], dtype=float)
    expected = [
        one
        for one in points
        if not any(o[0] >= one[0] and o[1] >= one[1] and (o[0], o[1]) != (one[0], one[1]) for o in points)
    ]
    found = [tuple(line) for line in members(lines).to_numpy().tolist()]
    assert sorted(found) == sorted(expected)
    assert [point[0] for point in found] == sorted(point[0] for point in found)


def test_lines_go_through_mean_test_accuracy(tmp_path: Path) -> None:
    lines = drawn(front(load(write(tmp_path)), "toy"))
    assert set(lines) == {"dense 92.0 %", "snip", "dwf[depth=3]"}
    numpy.testing.assert_allclose(
        points(lines["snip"]), [(10, 89), (20, 95), (100, 31)]
    )  # of the last value one run diverged
    numpy.testing.assert_allclose(points(lines["dwf[depth=3]"]), [(5, 91)])
    assert lines["dense 92.0 %"].get_ydata() == [92, 92]


def test_a_method_looks_the_same_whichever_others_are_drawn(tmp_path: Path) -> None:
    frame = load(write(tmp_path))
    both, alone = front(frame, "toy"), front(frame[frame["method"] == "snip"], "toy")
    for figure in (both, alone):
        assert same_color(drawn(figure)["snip"].get_color(), look("snip").colour)
        assert drawn(figure)["snip"].get_marker() == look("snip").marker


def test_every_run_is_a_dot_unless_it_has_no_weights(tmp_path: Path) -> None:
    axes = front(load(write(tmp_path)), "toy").axes[0]
    dots = {tuple(dot) for cloud in axes.collections for dot in numpy.asarray(cloud.get_offsets()).tolist()}
    assert {(5, 99), (10 / 3, 92), (10, 90), (100, 52)} <= dots
    assert all(numpy.isfinite(dot).all() for dot in dots)


def test_title_and_caption_name_seeds_epochs_and_runs_not_drawn(tmp_path: Path) -> None:
    figure = front(load(write(tmp_path)), "toy")
    assert figure.get_suptitle() == "toy: accuracy against compression"
    assert figure.subfigs[0].get_suptitle() == "2 seeds, 40 epochs"
    caption = " ".join(figure.get_supxlabel().split())
    assert (
        "one standard deviation over 2 seeds. A run that diverged or kept no weight counts in a mean as 10 %."
        in caption
    )
    assert caption.endswith("Runs not drawn: 2 without a result, 2 with no weight left.")


def test_the_caption_of_a_complete_figure_names_no_missing_runs(tmp_path: Path) -> None:
    figure = front(load(write(tmp_path, pair("snip", 0.1, 100, (80, 80), (80, 81)))), "toy")
    assert "not drawn" not in figure.get_supxlabel()


def test_a_threshold_other_than_the_default_is_in_the_title(tmp_path: Path) -> None:
    row = run("dwf[depth=3,threshold=0.0001]", 5, 0, 10, 90, 90, options="depth=3,threshold=0.0001")
    title = front(load(write(tmp_path, [*GOLDEN, row])), "toy").get_suptitle()
    assert " ".join(title.split()).endswith("(zero: |w| < 0.0001)")


def test_the_axes_end_at_the_largest_finite_compression_and_15_points_below_the_best(tmp_path: Path) -> None:
    axes = front(load(write(tmp_path)), "toy").axes[0]
    assert axes.get_xlim() == pytest.approx((1 / 1.1, 115))
    bottom, top = axes.get_ylim()
    assert (bottom, top) == pytest.approx((84 - 0.9, 99 + 0.9)) and axes.get_yscale() == "linear"
    at_edge = [points(line).tolist() for line in axes.lines if line.get_alpha() == 0.6 and bottom in points(line)[:, 1]]
    assert at_edge == [[[100, bottom]]]  # snip's mean of 52


@pytest.mark.parametrize(
    "rows",
    [
        pair("dense", 1, 1000, (97, 98), (97, 98)),
        pair("dwf[depth=4]", 9, 0, (10, 10), (10, 10)),
        [run("dense", 1, 0, 1000, 100, 100), run("snip", 0.1, 0, 100, 100, 100)],
        [run("snip", 0.1, 0, 100, 0, 0)],
        [run("dense", 1, 0, 1000, 98, 98), *pair("snip", 0.001, 1, (0, 60), (0, 60))],
    ],
    ids=["dense alone", "nothing left", "all right", "all wrong", "bars beyond the scale"],
)
def test_extreme_results_do_not_break_the_axes(tmp_path: Path, rows: list[Row]) -> None:
    frame = load(write(tmp_path, rows))
    axes = front(frame, "toy").axes[0]
    assert numpy.isfinite([*axes.get_xlim(), *axes.get_ylim()]).all()
    assert axes.get_xlim()[1] > 10
    assert 0 <= axes.get_ylim()[0] < axes.get_ylim()[1] <= 100
    assert all(path.stat().st_size for path in draw(frame, "toy", tmp_path / "front-toy"))


def test_an_error_bar_does_not_stretch_the_axis(tmp_path: Path) -> None:
    rows = [run("dense", 1, 0, 1000, 90, 90), *pair("snip", 0.1, 100, (10, 89), (10, 89))]
    bottom, top = front(load(write(tmp_path, rows)), "toy").axes[0].get_ylim()
    assert 74 < bottom < 75 and 90 < top < 91  # where the bar around 49.5 would reach from -6 to 105


def test_runs_of_several_folders_make_one_figure_and_a_shared_run_counts_once(tmp_path: Path) -> None:
    dense = pair("dense", 1, 1000, (90, 92), (91, 93))
    for name, rows in {
        "one": pair("snip", 0.1, 100, (80, 80), (80, 81)),
        "two": pair("gmp", 0.1, 100, (85, 85), (85, 86)),
    }.items():
        (tmp_path / name).mkdir()
        write(tmp_path / name, [*dense, *rows])
    figure = front([load(tmp_path / "one"), load(str(tmp_path / "two"))])
    (legend,) = figure.subfigs[0].subfigs[0].legends
    assert [text.get_text() for text in legend.get_texts()] == ["dense 92.0 %", "gmp", "snip"]
    assert figure.subfigs[0].get_suptitle() == "2 seeds, 40 epochs"


@pytest.mark.parametrize("task", [None, "nowhere"])
def test_a_front_needs_the_name_of_one_task(tmp_path: Path, task: str | None) -> None:
    runs = load(write(tmp_path, [*GOLDEN, run("snip", 0.1, 0, 100, 80, 80, task="other", key="other")]))
    with pytest.raises(UsageError, match="name one task; the runs are of other, toy"):
        front(runs, task)


def test_the_legend_of_forty_methods_is_within_the_figure_and_below_its_subtitle(tmp_path: Path) -> None:
    drawing = front(load(write(tmp_path, [run(f"method-{place}", 0.1, 0, 100, 80, 80) for place in range(40)])))
    drawing.draw_without_rendering()
    (found,) = drawing.subfigs[0].subfigs[0].legends
    texts = [text for text in drawing.findobj(Text) if isinstance(text, Text)]
    (subtitle,) = (text for text in texts if text.get_text() == "1 seed, 40 epochs")
    box = found.get_window_extent()
    assert len(found.get_texts()) == 40 and box.y0 >= 0 and box.y1 <= subtitle.get_window_extent().y0


def test_a_front_can_be_saved_where_names_have_dollar_signs(tmp_path: Path) -> None:
    figure = front(load(write(tmp_path, [run("dense", 1, 0, 1, 90, 90), run("a$b_{$x^", 0.1, 0, 100, 80, 80)])))
    figure.savefig(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size
