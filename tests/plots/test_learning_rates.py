"""The choice of a learning rate for each method, by the area under its front."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

from benchmark.records.schema import Row, Status
from plots.learning_rates import at_chosen, learning_rates
from plots.report import report
from plots.results import AT_LEARNING_RATE, load
from tests.builders import DWF, SEARCH, at_rate, write


def table(folder: Path, rows: list[Row]) -> dict[tuple[str, float], tuple[Any, ...]]:
    lines = learning_rates(load(write(folder, rows), point=AT_LEARNING_RATE)).set_index(["method", "learning_rate"])
    return {place: tuple(line) for place, line in zip(lines.index, lines.drop(columns="task").to_numpy(), strict=True)}


def test_areas_and_chosen_learning_rates_equal_those_worked_out_by_hand(tmp_path: Path) -> None:
    found = table(tmp_path, SEARCH)
    volumes = {place: line for place, line in found.items() if place[0] == DWF}
    assert volumes == {
        (DWF, 0.1): (2, 2, 0, pytest.approx(15), 80, True),  # the smaller of two as good
        (DWF, 0.2): (2, 2, 1, pytest.approx(15), 77.5, False),
        (DWF, 0.4): (2, 2, 0, 0, 60, False),  # the other one has no weight left, and counts at chance
    }
    assert [found["dense", rate][-1] for rate in (0.1, 0.2, 0.4)] == [False, True, False]
    assert [found["dense", rate][2] for rate in (0.1, 0.2, 0.4)] == [0, 0, 1]
    assert all(numpy.isnan(found["dense", rate][3]) for rate in (0.1, 0.2, 0.4))


def test_a_trial_that_failed_is_asked_and_in_no_number(tmp_path: Path) -> None:
    failed = at_rate(DWF, 0.1, 12, 10, None, status=Status.MEMORY)
    trials, n, diverged, *_ = table(tmp_path, [at_rate(DWF, 0.1, 6, 100, 80), failed])[DWF, 0.1]
    assert (trials, n, diverged) == (2, 1, 0)


def test_compression_beyond_500_counts_as_500(tmp_path: Path) -> None:
    rows = [
        at_rate(DWF, 0.1, 6, 1, 80),
        at_rate(DWF, 0.2, 6, 2, 80),
        at_rate("dense", 0.1, 1, 1000, 90),
    ]  # CR 1000 and 500
    found = table(tmp_path, rows)
    assert found[DWF, 0.1][3] == found[DWF, 0.2][3] == pytest.approx(10 * numpy.log10(500))


def test_the_lower_validation_loss_decides_between_equal_areas(tmp_path: Path) -> None:
    rows = [at_rate("dense", rate, 1, 1000, 90, val_loss=loss) for rate, loss in ((0.1, 0.5), (0.2, 0.3), (0.4, 0.3))]
    assert [line[-1] for line in table(tmp_path, rows).values()] == [False, True, False]


def test_seeds_are_averaged_before_areas_are_taken(tmp_path: Path) -> None:
    rows = [at_rate(DWF, 0.1, 6, 50, 78), at_rate(DWF, 0.1, 6, 150, 82, seed=1), at_rate("dense", 0.1, 1, 1000, 90)]
    assert table(tmp_path, rows)[DWF, 0.1] == (
        2,
        2,
        0,
        pytest.approx(10),
        80,
        True,
    )  # CR 10, not the mean of 20 and 6.7


def test_areas_without_dense_runs_begin_twenty_points_below_the_best(tmp_path: Path) -> None:
    rows = [at_rate(DWF, 0.1, 6, 100, 80), at_rate(DWF, 0.2, 6, 10, 65)]
    assert [line[3] for line in table(tmp_path, rows).values()] == pytest.approx([20, 10])


def test_the_smallest_learning_rate_is_chosen_if_all_runs_failed(tmp_path: Path) -> None:
    rows = [at_rate("dense", 0.1, 1, 1000, 90), *(at_rate("snip", rate, 0.1, 100, None) for rate in (0.4, 0.2))]
    assert {rate for (method, rate), line in table(tmp_path, rows).items() if method == "snip" and line[-1]} == {0.2}


def test_front_and_leaderboard_show_each_method_at_its_chosen_rate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = at_chosen(load(write(tmp_path, SEARCH), point=AT_LEARNING_RATE))
    assert set(zip(chosen["method"], chosen["learning_rate"], strict=True)) == {("dense", 0.2), (DWF, 0.1)}
    written = report(tmp_path)
    assert len(written.runs) == len(chosen) == 3
    assert [path.name for path in written.paths] == [
        *("learning_rates.csv", "learning-rate-toy.png", "learning-rate-toy.svg", "leaderboard.md"),
    ]
    board = (tmp_path / "leaderboard.md").read_text()
    assert "dense: 89.00 (1)" in board and "79.00 (1)" in board and "76.50" not in board
