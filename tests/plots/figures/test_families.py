"""The figure of many methods, with one panel for each family."""

from __future__ import annotations

from pathlib import Path

from plots.figures.families import panels
from plots.results import load
from plots.style import style
from tests.builders import GOLDEN, pair, points, run, write


def test_an_unknown_family_is_drawn_under_other(tmp_path: Path) -> None:
    rows = [run("mine", 0.1, 0, 100, 80, 80, family="of-a-plugin"), run("nameless", 0.2, 0, 100, 80, 80, family="")]
    figure = panels(load(write(tmp_path, [*GOLDEN, *rows])), "toy")
    shown = {axes.get_title(loc="left"): axes for axes in figure.subfigs[0].axes if axes.get_visible()}
    assert list(shown) == ["Factorization", "Before training", "Other"]
    assert shown["Other"].get_legend_handles_labels()[1] == ["mine", "nameless"]


def test_a_method_has_its_look_of_every_other_figure(tmp_path: Path) -> None:
    figure = panels(load(write(tmp_path)), "toy")
    lines = {str(line.get_label()): line for axes in figure.subfigs[0].axes for line in axes.lines}
    for label in ("dwf[depth=3]", "snip"):
        assert (lines[label].get_color(), lines[label].get_marker()) == style(label)


def test_panels_show_their_own_family_in_colour_and_all_others_in_grey(tmp_path: Path) -> None:
    rigl = pair("rigl", 0.1, 100, (88, 88), (87, 89))
    figure = panels(load(write(tmp_path, [*GOLDEN, *rigl])), "toy")
    (sub,) = figure.subfigs
    shown = {axes.get_title(loc="left"): axes for axes in sub.axes if axes.get_visible()}
    assert list(shown) == ["Factorization", "Before training", "Dynamic"]
    named = {name: axes.get_legend_handles_labels()[1] for name, axes in shown.items()}
    assert named == {"Factorization": ["dwf[depth=3]"], "Before training": ["snip"], "Dynamic": ["rigl"]}
    for axes in shown.values():
        grey = [line for line in axes.lines if line.get_color() == "#dcdcdc"]
        assert len(grey) == 3
    (line,) = (line for line in shown["Dynamic"].lines if line.get_label() == "rigl")
    assert points(line).tolist() == [[10, 88]]


def test_dominated_values_of_a_method_are_drawn(tmp_path: Path) -> None:
    """A front through the best values alone would pass above a collapse."""
    rows = [run("snip", value, 0, int(1000 * value), *2 * (accuracy,)) for value, accuracy in ((0.5, 90), (0.1, 10))]
    figure = panels(load(write(tmp_path, [*rows, run("snip", 0.01, 0, 10, 11, 11)])), "toy")
    (line,) = (line for line in figure.subfigs[0].axes[0].lines if line.get_label() == "snip")
    assert sorted(points(line)[:, 1]) == [10, 11, 90]


def test_many_methods_of_one_family_are_all_drawn(tmp_path: Path) -> None:
    many = [run(f"dwf[depth={depth}]", 1, 0, 100 + depth, 80, 80) for depth in range(1, 10)]
    figure = panels(load(write(tmp_path, many)), "toy")
    assert len(figure.subfigs[0].axes[0].get_legend_handles_labels()[0]) == 9
