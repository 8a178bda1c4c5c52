"""The benchmark of sweeps, at a small size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.profiling.rows import bench_rows, grid, write_rows
from benchmark.records.table import read
from benchmark.sweep.folder import ResultsFolder


def test_synthetic_rows_are_rows_of_finished_runs(tmp_path: Path) -> None:
    runs = grid(100).runs()
    assert len(runs) == 100
    write_rows(runs, tmp_path / "scale")
    assert len(read(tmp_path / "scale" / "runs.csv")) == 100
    assert ResultsFolder(tmp_path / "scale").to_do(runs) == []


def test_rows_are_planned_resumed_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench_rows(100, tmp_path)
    told = capsys.readouterr().out
    assert all(
        name in told for name in ("100 runs", "packs", "plan", "nothing to do", "status", "report", "--html", "MB")
    )
    assert (tmp_path / "scale" / "leaderboard.md").exists()
