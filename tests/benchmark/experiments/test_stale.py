"""Rows of older versions are reported as stale and are never deleted."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from benchmark.engines.settings import Settings
from benchmark.experiments.run import Run, stale_keys
from benchmark.records.schema import COLUMNS
from benchmark.records.table import read
from benchmark.sweep.folder import ResultsFolder
from benchmark.sweep.sweep import sweep
from methods.core.registry import METHODS
from plots.report import report

RUNS = [
    Run("lenet300-digits", method, value, 0, 2, 0.1, synthetic=True)
    for method, value in (("dense", 1.0), ("snip", 0.5))
]


def test_rows_of_an_older_version_are_marked_run_again_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, settings, quiet = tmp_path / "some-smoke", Settings("cpu", tmp_path), Console(quiet=True)
    sweep("some-smoke", RUNS, folder, settings, 1, quiet)
    before = (folder / "runs.csv").read_text()
    rows = read(folder / "runs.csv")
    assert stale_keys(rows) == set()
    monkeypatch.setattr(METHODS["snip"], "version", 2)
    assert stale_keys(rows) == {rows[1]["key"]}  # of that method alone
    report(folder, stale=stale_keys(rows))
    board = (folder / "leaderboard.md").read_text()
    assert "| `snip (old)` |" in board and "(old): another version of the method" in board
    assert "(old)" not in next(line for line in board.splitlines() if line.startswith("dense:"))
    assert ResultsFolder(folder).to_do(RUNS) == RUNS[1:]
    sweep("some-smoke", RUNS, folder, settings, 1, quiet)
    assert (folder / "runs.csv").read_text().startswith(before)
    report(folder, stale=stale_keys(read(folder / "runs.csv")))  # the new row counts, the old one stays
    assert "(old)" not in (folder / "leaderboard.md").read_text()


def test_a_row_of_an_unknown_method_is_not_stale() -> None:
    row = dict.fromkeys(COLUMNS, "1") | {"method": "from-a-plugin", "task": "lenet300-digits"}
    assert stale_keys([row]) == set()
