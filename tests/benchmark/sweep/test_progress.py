"""The progress of a sweep, in a log and on a terminal."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from benchmark.records.schema import COLUMNS
from benchmark.records.table import append, read
from benchmark.sweep.invocation import latest
from benchmark.sweep.progress import SweepProgress, bar, throttled
from benchmark.sweep.sweep import sweep
from tests.builders import QUIET, SETTINGS, SNIP_RUNS


def test_counts_are_printed_in_a_few_words() -> None:
    assert (
        str(SweepProgress.count({"ok": 3, "diverged": 1, "error": 1}, 66, 2, 190.4))
        == "5/66 (2 running, 1 failed, 0:03:10 left)"
    )
    assert str(SweepProgress.count({"ok": 65}, 66, 2, None)) == "65/66 (1 running, 0 failed)"
    assert str(SweepProgress.count({"ok": 1}, 3, 1, -5.0)) == "1/3 (1 running, 0 failed, 0:00:00 left)"


def test_the_first_estimate_uses_earlier_rows_of_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep("test", SNIP_RUNS[:1], tmp_path, SETTINGS, 1, QUIET)
    monkeypatch.setattr("benchmark.sweep.sweep.run_all", lambda *asked: iter(()))
    path = tmp_path / "runs.csv"
    (row,) = read(path)
    for device, left in (("cpu", 2 * 100.0), ("cuda", None)):
        path.unlink()
        append(path, COLUMNS, [tuple((row | {"train_seconds": "100", "device": device}).values())])
        sweep("test", SNIP_RUNS, tmp_path, SETTINGS, 1, QUIET)
        invocation = latest(tmp_path)
        assert invocation is not None and invocation.seconds_left == left


def log(folder: Path, terminal: bool) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=200, color_system=None)
    sweep("test", SNIP_RUNS, folder, SETTINGS, 1, console)
    return file.getvalue()


def test_a_log_has_a_line_for_every_run_with_the_counts_and_the_time_left(tmp_path: Path) -> None:
    _, starting, *lines = log(tmp_path, terminal=False).splitlines()
    assert starting == "starting 1 worker"
    for index, line in enumerate(filter(None, lines), 1):
        start = f"{index}/3 ({min(1, 3 - index)} running, 0 failed, 0:00:0"
        assert line.startswith(start) and f"left) snip density {SNIP_RUNS[index - 1].value:g} seed 0: CR" in line


def test_a_terminal_has_a_bar_with_the_counts_the_time_left_and_the_latest_run(tmp_path: Path) -> None:
    shown = log(tmp_path, terminal=True)
    for words in ("0/3 runs", "1 running", "starting", "0 failed", "left", "snip density 0.1 seed 0: CR"):
        assert words in shown


def test_the_bar_counts_down_between_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("benchmark.sweep.progress.time.monotonic", lambda: now)
    console = Console(file=io.StringIO(), force_terminal=True, width=200, color_system=None)
    with bar(console, SweepProgress(0, 9, 2, 0, None)) as show:
        show(SweepProgress(1, 9, 2, 1, 90.0), "latest")
        now += 30
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    assert "1/9 runs 2 running 1 failed 0:01:00 left\nlatest" in told


def test_the_display_shows_the_best_run_of_each_method(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120, height=40)
    sweep("test", SNIP_RUNS[::2], tmp_path, SETTINGS, 1, console)
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    assert "CR near dense" in told and "snip" in told.partition("CR near dense")[2]
    assert "CR near dense" in told.rpartition("\x1b[?25h")[2]  # the last table stays when the bar is gone


def test_a_throttled_function_takes_at_most_a_hundredth_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr("benchmark.sweep.progress.time", SimpleNamespace(monotonic=lambda: clock[0]))
    called = []

    def slow() -> int:
        clock[0] += 2.0
        called.append(clock[0])
        return len(called)

    answer = throttled(slow)
    answers = []
    for _ in range(1000):
        answers.append(answer())
        clock[0] += 1.0
    assert called == [2, 202, 402, 602, 802, 1002]
    assert answers[:2] == [1, 1] and answers[-1] == len(called)
