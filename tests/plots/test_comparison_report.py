"""Several folders in one report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas
import pytest

from benchmark.errors import UsageError
from benchmark.records.bits import encode
from benchmark.records.schema import CORRECT_COLUMNS, Row
from benchmark.records.table import append
from plots.comparison_report import combine, compare
from tests.builders import pair, run, sparsefront, write

DENSE = pair("dense", 1, 1000, (92, 92), (91, 93), family="dense")
GMP = pair("gmp", 0.1, 100, (91, 91), (90.9, 91.1), family="during training")
SNIP = pair("snip", 0.1, 100, (90, 90), (88.9, 89.1), family="before training")


def folder(path: Path, rows: list[Row]) -> Path:
    path.mkdir(parents=True)
    return write(path, rows)


def test_a_run_that_two_folders_hold_counts_once(tmp_path: Path) -> None:
    runs = combine([folder(tmp_path / "a", [*DENSE, *GMP]), folder(tmp_path / "b", [*DENSE, *SNIP])])
    assert runs["method"].tolist() == ["dense"] * 2 + ["gmp"] * 2 + ["snip"] * 2


def test_different_runs_of_one_method_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    other = [row for name in ("gmp", "snip") for row in pair(name, 0.05, 50, (91, 91), (90.9, 91.1))]
    first = folder(tmp_path / "mine/results", [*DENSE, *GMP, *SNIP])
    runs = combine([first, folder(tmp_path / "yours/results", [*DENSE, *other])])
    names = {"dense", "gmp", "gmp in yours/results", "snip in mine/results", "snip in yours/results"}
    assert set(runs["method"]) == set(runs["label"]) == names


def test_a_folder_keeps_all_seeds_of_a_method_of_which_another_folder_has_some(tmp_path: Path) -> None:
    third = run("snip", 0.1, 2, 100, 90, 89)
    mine, yours = folder(tmp_path / "mine", [*DENSE, *SNIP]), folder(tmp_path / "yours", [*DENSE, SNIP[1], third])
    runs = combine([mine, yours])
    seeds = {str(method): set(own["seed"]) for method, own in runs.groupby("method")}
    assert seeds == {"dense": {0, 1}, "snip in mine": {0, 1}, "snip in yours": {1, 2}}


def test_the_command_writes_figures_and_tables_and_leaves_the_folders_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cheap = [replace(row, macs_dense=100, macs_sparse=5) for row in SNIP]
    full = [replace(row, macs_dense=100, macs_sparse=round(100 * (row.density or 0))) for row in [*DENSE, *GMP]]
    both = [folder(tmp_path / "a", full), folder(tmp_path / "b", cheap)]
    for one, rows in zip(both, (full, cheap), strict=True):
        answers = [(row.key, 100, encode([place < (row.test_accuracy or 0) for place in range(100)])) for row in rows]
        append(one / "correct.csv", CORRECT_COLUMNS, answers)
    assert sparsefront(monkeypatch, "compare", *map(str, both), "--output", str(tmp_path / "both")) == 0
    figures = ("below-dense", "against-gmp-toy", "attainment-toy", "costs-toy", "profiles")
    tables = ("accuracy", "tolerance", "hypervolume", "improvement", "profiles", "attainment", "mcnemar", "resolution")
    assert {path.relative_to(tmp_path / "both").as_posix() for path in (tmp_path / "both").rglob("*.*")} == {
        *(f"{figure}.{kind}" for figure in figures for kind in ("png", "svg")),
        *(f"statistics/{table}.csv" for table in tables),
        "leaderboard.md",
    }
    mcnemar = pandas.read_csv(tmp_path / "both/statistics/mcnemar.csv")
    assert set(mcnemar.loc[mcnemar["method"] == "snip", "against"]) == {"dense", "gmp"}  # runs of the other folder
    assert {path.name for one in both for path in one.iterdir()} == {"runs.csv", "correct.csv"}


def test_a_folder_without_results_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no .*runs\.csv"):
        compare([folder(tmp_path / "a", DENSE), tmp_path / "none"], tmp_path / "both")
    assert not (tmp_path / "both").exists()
