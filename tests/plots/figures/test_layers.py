"""The figure of the density of each layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

from benchmark.errors import UsageError
from benchmark.records.schema import LAYER_COLUMNS, Row
from benchmark.records.table import append
from plots.figures.layers import grid, shares
from plots.report import report
from plots.results import load
from tests.builders import points, run, write

TOTALS = {"fc1": 800, "fc2": 200}


def keep(folder: Path, value: float, seed: int, fc1: int, fc2: int, method: str = "snip", **other: Any) -> Row:
    """Write the layers of a run that keeps `fc1` and `fc2` weights of 1000, and return its row."""
    row = run(method, value, seed, fc1 + fc2, 80, 80, experiment="layers", **other)
    kept = {"fc1": fc1, "fc2": fc2}
    append(folder / "layers.csv", LAYER_COLUMNS, [(row.key, name, kept[name], TOTALS[name]) for name in TOTALS])
    return row


def made(folder: Path) -> Path:
    rows = [
        keep(folder, 0.1, 0, 40, 60),  # 5 % and 30 %
        keep(folder, 0.1, 1, 80, 20),  # 10 % and 10 %
        keep(folder, 0.01, 0, 0, 10),
        keep(folder, 0.01, 1, 0, 10),
        keep(folder, 0.05, 0, 50, 0, status="diverged"),
        keep(folder, 0.5, 0, 400, 100, "magnitude"),
        keep(folder, 0.001, 0, 0, 0, "magnitude"),  # nothing at all
        keep(folder, 0.2, 0, 200, 0, "magnitude"),
        keep(folder, 0.2, 1, 160, 40, "magnitude"),
    ]
    return write(folder, rows)


def test_densities_of_layers_are_means_over_seeds_and_empty_layers_are_counted(tmp_path: Path) -> None:
    lines = shares(made(tmp_path), load(tmp_path)).set_index(["method", "value", "layer"])
    found = lines[["density", "compression", "collapsed"]].to_dict("index")
    assert {place: tuple(line.values()) for place, line in found.items()} == {
        ("snip", 0.1, "fc1"): (pytest.approx(7.5), pytest.approx(10), 0),
        ("snip", 0.1, "fc2"): (pytest.approx(20), pytest.approx(10), 0),
        ("snip", 0.01, "fc1"): (0, pytest.approx(100), 2),
        ("snip", 0.01, "fc2"): (pytest.approx(5), pytest.approx(100), 0),
        ("magnitude", 0.5, "fc1"): (50, 2, 0),
        ("magnitude", 0.5, "fc2"): (50, 2, 0),
        ("magnitude", 0.2, "fc1"): (pytest.approx(22.5), pytest.approx(5), 0),
        ("magnitude", 0.2, "fc2"): (pytest.approx(10), pytest.approx(5), 1),
        ("magnitude", 0.001, "fc1"): (0, numpy.inf, 1),
        ("magnitude", 0.001, "fc2"): (0, numpy.inf, 1),
    }


def test_a_run_that_was_tried_again_counts_with_its_last_layers(tmp_path: Path) -> None:
    write(tmp_path, [keep(tmp_path, 0.1, 0, 1, 1), keep(tmp_path, 0.1, 0, 80, 20)])
    assert shares(tmp_path, load(tmp_path))["density"].tolist() == [10, 10]


def test_layers_are_lines_and_an_empty_layer_is_a_cross(tmp_path: Path) -> None:
    frame = load(made(tmp_path))
    figure = grid(frame, shares(tmp_path, frame), "toy")
    magnitude, snip = figure.axes
    assert [axes.get_title(loc="left") for axes in (magnitude, snip)] == ["magnitude", "snip"]
    drawn = {line.get_label(): points(line) for line in snip.lines if line.get_label() in TOTALS}
    numpy.testing.assert_allclose(drawn["fc1"], [(10, 7.5), (100, numpy.nan)])
    numpy.testing.assert_allclose(drawn["fc2"], [(10, 20), (100, 5)])
    crosses = [points(line).tolist() for line in snip.lines if line.get_marker() == "x"]
    assert crosses == [[[pytest.approx(100), snip.get_ylim()[0]]]]
    assert [text.get_text() for axes in (magnitude, snip) for text in axes.texts] == ["collapsed: 3", "collapsed: 2"]
    x, y = points(snip.lines[0]).T
    numpy.testing.assert_allclose(x * y, 100)  # as dense as the whole: density in percent = 100 / CR
    assert "1 without a result, 1 with no weight left" in figure.get_supxlabel().replace("\n", " ")


def test_a_network_without_weights_does_not_break_the_axes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, [keep(tmp_path, 0.001, 0, 0, 0)])
    assert all(path.stat().st_size for path in report(tmp_path).paths)


@pytest.mark.parametrize(
    ("text", "says"),
    [(None, r"there is no .*layers\.csv"), ("", "no layer of a measured run"), ("a,fc1,many,800\n", "no number")],
)
def test_missing_layers_are_an_error(tmp_path: Path, text: str | None, says: str) -> None:
    write(tmp_path, [run("snip", 0.1, 0, 100, 80, 80, experiment="layers")])
    if text is not None:
        (tmp_path / "layers.csv").write_text(",".join(LAYER_COLUMNS) + "\n" + text)
    with pytest.raises(UsageError, match=says):
        report(tmp_path)
