"""Accuracies at exactly a compression, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pandas
import pytest

from benchmark.records.schema import Row, Status
from plots.readings import reach, read_at, seed_curves
from plots.results import load
from tests.builders import pair, run, write


def readings(folder: Path, rows: list[Row], *compressions: float) -> list[tuple[float, bool]]:
    found = read_at(seed_curves(load(write(folder, rows))), compressions)
    return list(zip(found["test_accuracy"], found["between"], strict=True))


def test_accuracy_is_read_halfway_on_a_log_scale(tmp_path: Path) -> None:
    rows = [run("a", 0.1, 0, 100, 90, 90), run("a", 0.001, 0, 1, 80, 80)]  # CR 10 and 1,000
    assert readings(tmp_path, rows, 10, 100, 1000) == [(90, False), (pytest.approx(85), True), (80, False)]


def test_nothing_is_read_beyond_the_last_value_and_a_smaller_network_serves_before_the_first(tmp_path: Path) -> None:
    rows = [run("a", 0.1, 0, 100, 90, 90), run("a", 0.01, 0, 10, 80, 80)]
    assert readings(tmp_path, rows, 5, 102) == [(90, True)]


def test_a_value_that_another_beats_on_validation_is_read_as_that_one(tmp_path: Path) -> None:
    rows = [run("a", 0.2, 0, 200, 80, 99), run("a", 0.1, 0, 100, 90, 90)]
    assert readings(tmp_path, rows, 5) == [(90, False)]


def test_a_line_does_not_pass_above_a_value_that_a_smaller_network_beats(tmp_path: Path) -> None:
    """At CR 10 the method ends at 20 %, and its network of CR 100, at 60 %, serves there, too: not the 75 % between."""
    rows = [run("a", 1.0, 0, 1000, 90, 90), run("a", 0.1, 0, 100, 20, 20), run("a", 0.01, 0, 10, 60, 61)]
    assert readings(tmp_path, rows, 1, 10, 100) == [(90, False), (61, False), (61, False)]
    assert readings(tmp_path, rows, 10**0.5, 10**1.5) == [(pytest.approx(75.5), True), (61, True)]


def test_a_missed_seed_lowers_its_value_to_the_next_one_at_most(tmp_path: Path) -> None:
    """At CR 10 one seed of two is at chance, so both are read at the value of CR 100."""
    rows = [
        *pair("a", 1.0, 1000, (95, 95), (95, 95)),
        run("a", 0.1, 0, 100, 90, 90),
        run("a", 0.1, 1, 100, None, None),
        *pair("a", 0.01, 10, (80, 82), (80, 82)),
    ]
    assert readings(tmp_path, rows, 10) == [(80, False), (82, False)]


def test_a_run_that_diverged_or_emptied_counts_at_chance_where_its_value_is(tmp_path: Path) -> None:
    rows = [
        *pair("a", 0.1, 100, (90, 90), (90, 90)),
        run("a", 0.01, 0, 10, 90, 88),
        run("a", 0.01, 1, 10, None, None),
        run("b", 0.1, 0, 100, 90, 90),
        run("b", 0.1, 1, 0, 11, 11),
    ]
    curves = seed_curves(load(write(tmp_path, rows)))
    assert read_at(curves, [100])["test_accuracy"].tolist() == [88, 10]  # of a alone
    assert read_at(curves, [10]).query("method == 'b'")["test_accuracy"].tolist() == [90, 10]


def test_seeds_that_lack_a_value_are_read_by_their_own_points_and_stay_in_order(tmp_path: Path) -> None:
    rows = [run("a", 0.1, seed, 100, 90 + seed, 90 + seed) for seed in (0, 2, 3)]
    rows += [run("a", 0.001, seed, 1, 80, 80 + seed) for seed in (0, 1, 3)]
    curves = seed_curves(load(write(tmp_path, rows)))
    found = read_at(curves, [100, 1000])
    assert [tuple(line) for line in found[["seed", "at", "test_accuracy"]].to_numpy()] == [
        (0, 100, pytest.approx(85)),
        *((0, 1000, 80), (1, 100, 81), (1, 1000, 81)),
        *((3, 100, pytest.approx(88)), (3, 1000, 83)),
    ]
    (reached,) = reach(curves, [82])
    assert reached[["seed", "beyond", "missed"]].to_numpy().tolist() == [
        *([0, False, False], [1, False, True], [2, True, False], [3, True, False])
    ]
    assert reached["compression"].tolist() == pytest.approx([10 ** (1 + 2 * 8 / 10), 1, 10, 1000])


def test_a_run_that_ran_out_of_memory_has_no_reading(tmp_path: Path) -> None:
    rows = [run("a", 0.1, 0, 100, 90, 90), run("a", 0.1, 1, 100, None, None, status=Status.MEMORY)]
    found = read_at(seed_curves(load(write(tmp_path, rows))), [10])
    assert (len(found), found["asked"].tolist()) == (1, [2])


def test_another_axis_is_the_inverse_of_the_mean_share_that_is_left(tmp_path: Path) -> None:
    rows = [
        run("a", 0.1, 0, 100, 90, 90, macs_dense=1000, macs_sparse=200, effective_density=0.05),
        run(
            "a", 0.1, 1, 100, 90, 91, macs_dense=1000, macs_sparse=300
        ),  # an older version counted no effective weights
        run("a", 0.01, 0, 10, 80, 80, macs_dense=1000, macs_sparse=100, effective_density=0),  # none is effective
    ]
    runs = load(write(tmp_path, rows))
    assert seed_curves(runs, "theoretical speed-up")["compression"].tolist() == pytest.approx([4, 4, 10])
    assert seed_curves(runs, "effective compression ratio")["compression"].tolist() == pytest.approx([20])


def test_the_reach_of_a_front_ends_where_it_crosses_an_accuracy(tmp_path: Path) -> None:
    rows = [run("a", 0.1, 0, 100, 90, 90), run("a", 0.001, 0, 1, 80, 80), run("b", 0.1, 0, 100, 70, 70)]
    curves = seed_curves(load(write(tmp_path, rows)))
    found, lower = reach(curves, [85, 75])
    told = ["method", "compression", "beyond", "missed"]
    assert found[told].to_numpy().tolist() == [["a", pytest.approx(100), False, False], ["b", 1, False, True]]
    assert lower[told].to_numpy().tolist() == [
        ["a", pytest.approx(1000), True, False],
        ["b", 1, False, True],
    ]


def test_no_measured_run_gives_empty_tables() -> None:
    columns = ["task", "method", "knob", "value", "seed", "key", "status", "density", "compression"]
    nothing = pandas.DataFrame(columns=[*columns, "val_accuracy", "test_accuracy"])
    assert read_at(seed_curves(nothing), [10]).empty
