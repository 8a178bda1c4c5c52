"""The benchmark of sweeps, at a small size."""

from __future__ import annotations

from pathlib import Path
from subprocess import CalledProcessError

import pytest

from benchmark.profiling import rows
from benchmark.profiling.rows import grid, write_rows
from benchmark.records.table import read
from benchmark.sweep.folder import ResultsFolder
from tests.builders import sparsefront


def test_synthetic_rows_are_rows_of_finished_runs(tmp_path: Path) -> None:
    runs = grid(100).runs()
    assert len(runs) == 100
    write_rows(runs, tmp_path / "scale")
    assert len(read(tmp_path / "scale" / "runs.csv")) == 100
    assert ResultsFolder(tmp_path / "scale").to_do(runs) == []


def test_a_command_is_measured_in_a_process_of_its_own() -> None:
    seconds, computing, memory = rows.command("list", "methods")
    assert min(seconds, computing) > 0 and 0.01 < memory < 1
    with pytest.raises(CalledProcessError):
        rows.command("no-such-command")


def test_rows_are_planned_resumed_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(*arguments: str) -> list[float]:
        """Run the command in this process, which has imported torch."""
        assert sparsefront(monkeypatch, *arguments) == 0
        return [0.0] * 3

    monkeypatch.setattr(rows, "command", command)
    rows.bench_rows(100, tmp_path)
    told = capsys.readouterr().out
    assert all(
        name in told for name in ("100 runs", "packs", "plan", "nothing to do", "status", "report", "--html", "MB")
    )
    assert (tmp_path / "scale" / "leaderboard.md").exists()
