"""Tables of runs count alike however a user filtered them, and others are one sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import pytest

from benchmark.errors import UsageError
from plots import front, leaderboard, load, summary
from plots.given import SHOWN, SUMMED
from tests.builders import pair, write

ROWS = [
    *pair("snip", 0.1, 100, (80, 82), (81, 83)),
    *pair("gmp", 0.1, 100, (90, 91), (90, 92)),
    *pair("dense", 1, 1000, (95, 96), (95, 96)),
]


@pytest.fixture
def runs(tmp_path: Path) -> pandas.DataFrame:
    return load(write(tmp_path, ROWS))


@pytest.mark.parametrize(
    "change",
    [
        lambda runs: runs.set_index("key"),
        lambda runs: runs.set_index(["method", "value"], drop=False),
        lambda runs: runs.sample(frac=1, random_state=0),
        lambda runs: pandas.concat([runs, runs]),
        lambda runs: pandas.concat([runs[runs["method"] == name] for name in runs["method"].unique()]),
        lambda runs: [runs[runs["method"] == "gmp"], runs],
        lambda runs: (runs[runs["method"] == name] for name in runs["method"].unique()),
        lambda runs: runs[list(SHOWN)],
    ],
)
def test_tables_count_alike_whatever_their_index_and_order(
    change: Callable[[Any], Any], runs: pandas.DataFrame
) -> None:
    pandas.testing.assert_frame_equal(summary(change(runs)), summary(runs))
    assert leaderboard(change(runs)).equals(leaderboard(runs))
    assert len(front(change(runs)).axes) == 1


def test_means_read_no_more_than_their_columns(runs: pandas.DataFrame) -> None:
    pandas.testing.assert_frame_equal(summary(runs[list(SUMMED)]), summary(runs))


def test_a_run_without_a_result_does_not_count_where_another_has_its_place(runs: pandas.DataFrame) -> None:
    lost = runs[:1].assign(key="lost", seed=5, status="failed", val_accuracy=math.nan, test_accuracy=math.nan)
    both = pandas.concat([lost, runs])  # two rows are row 0
    (line,) = summary(both[both["method"] == "snip"]).to_dict("records")
    assert (line["n"], line["asked"], line["test_mean"]) == (2, 3, 82)


def test_one_run_under_two_names_is_two_runs(runs: pandas.DataFrame) -> None:
    both = [runs, runs[runs["method"] == "gmp"].assign(method="gmp again", label="gmp again")]
    assert {"gmp", "gmp again"} <= set(leaderboard(both).index)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda runs: "results/mine", "a table that plots.load returns, or a list of such tables, not of type str"),
        (lambda runs: runs.iloc[0], "not of type Series"),
        (lambda runs: None, "not of type NoneType"),
        (lambda runs: [], "this list is empty"),
        (lambda runs: runs.drop(columns=["seed", "counted"]), "no column seed, counted; give one that plots.load"),
        (lambda runs: pandas.concat([runs, runs["method"]], axis=1), "two columns method; keep one"),
    ],
)
@pytest.mark.parametrize("show", [front, leaderboard, summary])
def test_another_table_is_one_sentence(
    show: Callable[[Any], Any], change: Callable[[Any], Any], said: str, runs: pandas.DataFrame
) -> None:
    with pytest.raises(UsageError, match=said):
        show(change(runs))


def test_a_filter_that_leaves_nothing_is_named(runs: pandas.DataFrame) -> None:
    with pytest.raises(UsageError, match="holds no run; does a filter leave none"):
        front(runs[runs["method"] == "gpm"])
