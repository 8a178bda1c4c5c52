"""The figures of costs and of attainment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy
import pytest
from matplotlib.axes import Axes

from benchmark.records.schema import INFERENCE_COLUMNS, Row
from benchmark.records.table import append
from plots.figures import attainments, costs
from plots.figures.below_dense import below_dense
from plots.readings import COMPRESSION
from plots.results import load
from tests.builders import pair, write

DENSE = pair("dense", 1, 1000, (92, 92), (91, 93), family="dense")
GMP = [
    *pair("gmp", 0.1, 100, (91, 91), (90.9, 91.1), family="during training"),
    *pair("gmp", 0.01, 10, (88, 88), (87.9, 88.1), family="during training"),
]
SNIP = pair("snip", 0.1, 100, (90, 90), (88.9, 89.1), family="before training")


def counted(rows: list[Row], saved: float) -> list[Row]:
    """Return rows whose multiply-adds fall `saved` times as fast as their weights."""
    assert all(row.density for row in rows)
    return [replace(row, macs_dense=1000, macs_sparse=round(1000 * (row.density or 0) / saved)) for row in rows]


def test_one_set_of_runs_is_drawn_over_each_cost_that_is_not_the_same(tmp_path: Path) -> None:
    runs = load(write(tmp_path, [*counted(DENSE, 1), *counted(GMP, 1), *counted(SNIP, 2)]))
    assert costs.told_apart(runs) == ["compression ratio", "theoretical speed-up"]
    drawn: list[Path] = costs.draw(tmp_path, runs, tmp_path)
    assert [path.name for path in drawn] == ["costs-toy.png", "costs-toy.svg"]


def test_costs_that_equal_that_of_the_weights_are_not_drawn(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    runs = load(write(tmp_path, counted([*DENSE, *GMP], 1)))
    assert costs.draw(tmp_path, runs, tmp_path) == []
    assert costs.told_apart(load(write(other, [*DENSE, *GMP]))) == ["compression ratio"]  # not counted


@pytest.mark.parametrize(("multiply_adds", "says"), [(900, []), (1100, ["no method reaches this range"])])
def test_a_speed_up_is_drawn_from_one_on(tmp_path: Path, multiply_adds: int, says: list[str]) -> None:
    rows = [replace(row, macs_dense=1000, macs_sparse=multiply_adds) for row in [*DENSE, *GMP]]
    drawing = below_dense(load(write(tmp_path, rows)), axes=(COMPRESSION, "theoretical speed-up"))
    texts = [[text.get_text() for text in panel.texts] for panel in drawing.findobj(Axes)]
    assert texts == [[], says]


def test_a_narrow_range_of_speed_ups_has_ticks(tmp_path: Path) -> None:
    rows = [replace(row, macs_dense=1000, macs_sparse=930) for row in [*DENSE, *GMP]]
    drawing = below_dense(load(write(tmp_path, rows)), axes=(COMPRESSION, "theoretical speed-up"))
    wide, narrow = (
        [tick for tick in panel.get_xticks() if panel.get_xlim()[0] <= tick <= panel.get_xlim()[1]]
        for panel in drawing.findobj(Axes)
    )
    assert wide == [2, 5, 10, 20, 50, 100]
    assert narrow == pytest.approx([1, 1.02, 1.04, 1.06, 1.08, 1.1])


def test_files_and_measured_latencies_are_costs_against_the_dense_network(tmp_path: Path) -> None:
    rows = [
        replace(row, key=f"{row.method}-{row.seed}", file_bytes=size)
        for own, size in ((DENSE, 4000), (SNIP, 500))
        for row in own
    ]
    folder = write(tmp_path, rows)
    cells = [
        (f"snip-{seed}", "toy", "snip", 0.1, seed, form, batch, threads, ms * scale, 0, 9, 1, 1, 1, 2.5, "a cpu", "")
        for seed, scale in ((0, 1), (1, 2))
        for form, ms in (("dense", 8), ("onnx dense", 6), ("compact", 4), ("csr", 3))
        for batch, threads in ((1, 1), (256, 1), (1, 2))
        if form != "csr" or (batch, threads) == (1, 1)
    ]
    append(folder / "inference.csv", INFERENCE_COLUMNS, cells)
    runs = load(folder)
    snip, dense = runs[runs["method"] == "snip"], runs[runs["method"] == "dense"]
    assert snip["file_compression"].tolist() == [8, 8] and dense["file_compression"].tolist() == [1, 1]
    assert snip["measured_speedup"].tolist() == [2, 2]  # 6 / 3 at batch 1 on one thread
    assert costs.told_apart(runs) == ["compression ratio", "file compression ratio", "measured speed-up"]


def test_a_panel_has_the_median_of_its_method_and_that_of_the_control(tmp_path: Path) -> None:
    figure = attainments.attainment(load(write(tmp_path, [*DENSE, *GMP, *SNIP])))
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes if axes.axison}
    assert set(panels) == {"gmp", "snip"}
    own, control = (numpy.asarray(line.get_ydata(), dtype=float) for line in panels["snip"].get_lines()[:2])
    assert numpy.nanmin(own) == numpy.nanmax(own) == pytest.approx(-2.9)  # one of two seeds is half of them
    assert numpy.nanmax(control) == pytest.approx(-0.9) and numpy.nanmin(control) == pytest.approx(-3.9)


def test_a_panel_shows_all_seeds_or_says_that_all_are_below(tmp_path: Path) -> None:
    high = pair("magnitude", 0.1, 100, (91, 91), (90, 96), family="during training")
    low = pair("random", 0.1, 100, (70, 70), (69, 71), family="before training")
    figure = attainments.attainment(load(write(tmp_path, [*DENSE, *GMP, *high, *low])))
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes if axes.axison}
    said = {method: [text.get_text() for text in panel.texts] for method, panel in panels.items()}
    assert said == {"gmp": [], "magnitude": [], "random": ["no seed reaches this range"]}
    assert panels["magnitude"].get_ylim() == (-8, pytest.approx(4.2))  # 96 is 4 points above dense


def test_the_difference_of_two_methods_has_their_names_and_colours(tmp_path: Path) -> None:
    figure = attainments.attainment_differences(load(write(tmp_path, [*DENSE, *GMP, *SNIP])), "gmp", "snip")
    axes, bar = figure.axes[:2]
    assert len(axes.patches) >= 2
    assert "snip" in bar.get_ylabel() and "gmp" in bar.get_ylabel()
