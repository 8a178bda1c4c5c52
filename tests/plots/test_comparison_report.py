"""Several folders in one report."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.records.schema import Row
from plots.comparison_report import combine, compare
from tests.builders import pair, sparsefront, write

DENSE = pair("dense", 1, 1000, (92, 92), (91, 93), family="dense")
GMP = pair("gmp", 0.1, 100, (91, 91), (90.9, 91.1), family="during training")
SNIP = pair("snip", 0.1, 100, (90, 90), (88.9, 89.1), family="before training")


def folder(path: Path, rows: list[Row]) -> Path:
    path.mkdir()
    return write(path, rows)


def test_a_run_that_two_folders_hold_counts_once(tmp_path: Path) -> None:
    runs = combine([folder(tmp_path / "a", [*DENSE, *GMP]), folder(tmp_path / "b", [*DENSE, *SNIP])])
    assert runs["method"].tolist() == ["dense"] * 2 + ["gmp"] * 2 + ["snip"] * 2


def test_different_runs_of_one_method_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    other = pair("gmp", 0.05, 50, (91, 91), (90.9, 91.1), family="during training")
    runs = combine([folder(tmp_path / "mine", [*DENSE, *GMP]), folder(tmp_path / "yours", [*DENSE, *other])])
    assert sorted(set(runs["method"])) == ["dense", "gmp in mine", "gmp in yours"]


def test_the_command_writes_figures_and_a_table_and_leaves_the_folders_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [folder(tmp_path / "a", [*DENSE, *GMP]), folder(tmp_path / "b", [*DENSE, *SNIP])]
    assert sparsefront(monkeypatch, "compare", *map(str, both), "--output", str(tmp_path / "both")) == 0
    assert {path.name for path in (tmp_path / "both").iterdir()} == {
        *(f"below-dense.{kind}" for kind in ("png", "svg")),
        *(f"against-gmp-toy.{kind}" for kind in ("png", "svg")),
        "leaderboard.md",
    }
    assert {path.name for one in both for path in one.iterdir()} == {"runs.csv"}


def test_a_folder_without_results_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no .*runs\.csv"):
        compare([folder(tmp_path / "a", DENSE), tmp_path / "none"], tmp_path / "both")
    assert not (tmp_path / "both").exists()
