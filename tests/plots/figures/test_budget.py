"""The figure of budgets: readings at each number of epochs, and the budget that the leaderboard shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.records.schema import Row, Status
from plots.figures.budget import STRICT, budget_figure, longest, readings
from plots.results import AT_SETTING, load
from tests.builders import points, run, write


def at(method: str, epochs: int, nonzeros: int, accuracy: float) -> Row:
    key = f"{method} {epochs} {nonzeros}"
    return run(method, nonzeros / 1000, 0, nonzeros, accuracy, accuracy, key=key, epochs=epochs)


ROWS = [
    at("dense", 10, 1000, 90), at("gmp", 10, 100, 80), at("gmp", 10, 10, 70), at("rigl", 10, 10, 60),
    at("dense", 30, 1000, 92), at("gmp", 30, 100, 84), at("gmp", 30, 10, 76), at("rigl", 30, 10, 66),
    at("dense", 90, 1000, 93),
]  # fmt: skip


def test_accuracy_is_read_at_each_number_of_epochs_by_itself(tmp_path: Path) -> None:
    table = readings(load(write(tmp_path, ROWS), point=AT_SETTING), STRICT)
    there = {(m, a, e): x for m, a, e, x in table[["method", "at", "epochs", "test_accuracy"]].itertuples(index=False)}
    assert there["gmp", 100, 10] == pytest.approx(70) and there["gmp", 100, 30] == pytest.approx(76)
    assert there["rigl", 20, 30] == pytest.approx(66) and ("gmp", 300, 30) not in there
    assert there["gmp", 20, 10] == pytest.approx(80 - 10 * 0.30103, abs=1e-3)  # log10(2) of the way from CR 10 to 100


def test_a_seed_that_failed_is_asked_and_in_no_mean(tmp_path: Path) -> None:
    failed = replace(at("gmp", 30, 100, 84), seed=1, key="failed", status=Status.MEMORY)
    table = readings(load(write(tmp_path, [*ROWS, failed]), point=AT_SETTING), STRICT)
    own = table[(table["method"] == "gmp") & (table["at"] == 20)].set_index("epochs")
    assert own[["n", "asked"]].to_numpy().tolist() == [[1, 1], [1, 2]]


def test_a_method_with_one_seed_has_no_interval(tmp_path: Path) -> None:
    second = replace(at("gmp", 30, 100, 86), seed=1, key="second"), replace(at("gmp", 30, 10, 78), seed=1, key="third")
    table = readings(load(write(tmp_path, [*ROWS, *second]), point=AT_SETTING), STRICT)
    intervals = (
        table[(table["at"] == 20) & (table["epochs"] == 30)].set_index("method")[["low", "high"]].notna().all(axis=1)
    )
    assert intervals.to_dict() == {"gmp": True, "rigl": False}


def test_a_line_goes_over_the_epochs(tmp_path: Path) -> None:
    runs = load(write(tmp_path, ROWS), point=AT_SETTING)
    middle = budget_figure(runs, readings(runs, STRICT)).axes[1]
    lines = {str(line.get_label()): points(line)[:2].tolist() for line in middle.get_lines()}
    assert lines["gmp"] == [[10, pytest.approx(70)], [30, pytest.approx(76)]]


def test_the_longest_budget_that_all_methods_have_is_shown(tmp_path: Path) -> None:
    assert set(longest(load(write(tmp_path, ROWS), point=AT_SETTING))["epochs"]) == {30}


def test_budgets_are_not_mixed_unless_they_are_compared(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="with epochs different"):
        load(write(tmp_path, ROWS))
