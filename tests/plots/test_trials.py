"""The choice of pairs from a search, and the worth of k trials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from benchmark.records.schema import THRESHOLD_COLUMNS
from plots.results import AT_LEARNING_RATE, load
from plots.trials import expected_hypervolume, trials, write_trials
from tests.builders import at_rate, write

DENSE = at_rate("dense", 0.1, 1, 1000, 90)


def table(folder: Path, *found: tuple[float, float, int, float]) -> dict[tuple[float, float], tuple[bool, bool]]:
    """Return whether each trial (learning rate, value, weights left of 1,000, accuracy) is nondominated and chosen."""
    rows = [DENSE] + [at_rate("gmp", *trial) for trial in found]
    lines = trials(load(write(folder, rows), point=AT_LEARNING_RATE))
    own = lines[lines["method"] == "gmp"]
    places = zip(own["learning_rate"], own["value"], strict=True)
    return dict(zip(places, zip(own["nondominated"], own["chosen"], strict=True), strict=True))


def test_a_trial_that_another_one_beats_is_not_chosen(tmp_path: Path) -> None:
    found = table(tmp_path, (0.1, 0.1, 100, 85), (0.2, 0.09, 90, 86), (0.4, 0.01, 10, 80))
    assert found == {(0.1, 0.1): (False, False), (0.2, 0.09): (True, True), (0.4, 0.01): (True, True)}


def test_the_trial_nearest_to_a_compression_is_chosen(tmp_path: Path) -> None:
    # Compressions 10, 11 and 12: nearest to 3 and 10 is 10, to 30 and beyond 12; 11 is nearest to none.
    found = table(tmp_path, (0.1, 0.1, 120, 87), (0.1, 0.09, 110, 86), (0.1, 0.08, 100, 88), (0.1, 0.07, 83, 85))
    chosen = [value for (_, value), (_, taken) in found.items() if taken]
    assert chosen == [0.08, 0.07]


@pytest.mark.parametrize("trial", [(0.1, 0.1, 0, 10), (0.1, 0.1, 10, 69), (0.1, 0.1, 10, numpy.nan)])
def test_a_trial_without_weights_or_far_below_dense_is_not_chosen(trial: Any, tmp_path: Path) -> None:
    assert set(table(tmp_path, trial).values()) == {(False, False)}


def test_a_method_without_a_knob_has_its_most_accurate_trial(tmp_path: Path) -> None:
    rows = [at_rate("dense", rate, 1, 1000, accuracy) for rate, accuracy in ((0.1, 88), (0.2, 90), (0.4, 89))]
    lines = trials(load(write(tmp_path, rows), point=AT_LEARNING_RATE))
    assert lines["chosen"].tolist() == [False, True, False]


def test_expected_areas_equal_those_worked_out_by_hand(tmp_path: Path) -> None:
    # Above 70 % and compression 1: 10 points x 2 decades and 15 points x 1 decade, of which 10 x 1 are common.
    rows = [DENSE, at_rate("gmp", 0.1, 0.01, 10, 80), at_rate("gmp", 0.2, 0.1, 100, 85)]
    lines = expected_hypervolume(load(write(tmp_path, rows), point=AT_LEARNING_RATE))
    areas = lines[lines["method"] == "gmp"].set_index("trials")["hypervolume"].to_dict()
    assert areas == {1: pytest.approx((20 + 15) / 2), 2: pytest.approx(20 + 15 - 10)}


def test_a_trial_that_diverged_counts_among_the_trials_and_adds_nothing(tmp_path: Path) -> None:
    rows = [DENSE, at_rate("gmp", 0.1, 0.01, 10, 80), at_rate("gmp", 0.2, 0.1, 100, numpy.nan, status="diverged")]
    lines = expected_hypervolume(load(write(tmp_path, rows), point=AT_LEARNING_RATE))
    areas = lines[lines["method"] == "gmp"].set_index("trials")["hypervolume"].to_dict()
    assert areas == {1: pytest.approx(10), 2: pytest.approx(20)}


def test_trials_of_penalties_are_judged_with_both_zeros(tmp_path: Path) -> None:
    penalty: dict[str, Any] = {"knob": "penalty", "penalty": 0.001, "options": "threshold=1e-07"}
    rows = [
        DENSE,
        at_rate("gmp", 0.1, 0.1, 100, 85, knob="density"),
        at_rate("dwf", 0.1, 0.001, 500, 85, key="weak", **penalty),
    ]
    folder = write(tmp_path, rows)
    lines = ["weak,1e-07,500,0.5,85,84,0,,", "weak,0.01,20,0.02,85,84,0.1,,", "weak,0.03,10,0.01,80,79,0.5,,"]
    folder.joinpath("thresholds.csv").write_text("\n".join([",".join(THRESHOLD_COLUMNS), *lines]) + "\n")
    write_trials(folder, load(folder, point=AT_LEARNING_RATE))
    table = pandas.read_csv(folder / "trials.csv")
    assert list(zip(table["method"], table["zero"], table["compression"], table["chosen"], strict=True)) == [
        ("dense", "strict", 1, True),
        ("gmp", "strict", 10, True),
        ("dwf", "strict", 2, True),
        ("dwf", "validated", 50, True),
    ]
