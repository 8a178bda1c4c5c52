"""How far a sweep is told to be, and how long it will still take."""

from __future__ import annotations

import heapq
import io
import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from benchmark.engines.settings import Settings
from benchmark.experiments.run import Run
from benchmark.records.schema import COLUMNS
from benchmark.records.table import append, read
from benchmark.sweep.invocation import latest
from benchmark.sweep.progress import Standing, bar, seconds_left, seconds_per_epoch, sparingly, standing
from benchmark.sweep.sweep import sweep

SNIP = Run("lenet300-digits", "snip", 0.5, 0, 10, 0.1)
IMP = replace(SNIP, method="imp[rounds=3]")  # takes four budgets


def grid(*runs: Run, values: int, seeds: int = 1) -> list[Run]:
    """Seed by seed, each with all values of one run after the other, as experiments have it."""
    return [
        replace(run, value=(value + 1) / values, seed=seed)
        for seed in range(seeds)
        for run in runs
        for value in range(values)
    ]


def test_nothing_is_known_before_anything_ends() -> None:
    assert seconds_left(grid(SNIP, values=4), {}, 2, {}) is None
    (run,) = grid(SNIP, values=1)
    assert seconds_left([run], {run: (3.0, None)}, 1, {}) is None  # failed without training


def test_runs_that_wait_take_the_median_of_those_that_ended_and_what_goes_with_training() -> None:
    runs = grid(SNIP, values=6)
    finished: dict[Run, tuple[float, float | None]] = {runs[0]: (30.0, 8.0)}  # of which much was the worker's start
    assert seconds_left(runs, finished, 1, {}) == 5 * 8
    finished |= {runs[1]: (40.0, 8.0), runs[2]: (54.0, 12.0)}
    assert seconds_left(runs, finished, 1, {}) == pytest.approx(3 * 8 * (54 - 30) / (8 + 12))
    assert seconds_left(runs[:3], finished, 1, {}) == 0


def test_runs_under_way_count_with_the_time_they_have_had() -> None:
    runs = grid(SNIP, IMP, values=2)
    assert seconds_left(runs, {runs[0]: (8.0, 8.0)}, 1, {}) == 8 + 32 + 32
    # The third run began at 8 s, when the first ended, and the fourth at 9 s, now.
    finished: dict[Run, tuple[float, float | None]] = {runs[0]: (8.0, 8.0), runs[1]: (9.0, 9.0)}
    assert seconds_left(runs, finished, 2, {}) == 4 * 8.5
    # The third took 32 s from there, so at 40 s the fourth has had 31 s.
    finished[runs[2]] = 40.0, 32.0
    assert seconds_left(runs, finished, 2, {}) == 1


def test_the_last_runs_are_dealt_to_whoever_is_free_first() -> None:
    runs = grid(SNIP, IMP, values=2)  # 8, 8, 32 and 32 seconds
    earlier = {("lenet300-digits", "snip"): [0.8]}
    assert seconds_left(runs, {}, 2, earlier) == 8 + 32
    assert seconds_left(runs, {}, 3, earlier) == 8 + 32  # two have nothing to do after 8 and 32 s
    assert seconds_left(runs, {}, 4, earlier) == 32


def test_a_run_that_takes_longer_than_any_has_no_time_left_rather_than_less() -> None:
    runs = grid(SNIP, values=3)
    assert seconds_left(runs, {runs[1]: (5.0, 5.0), runs[2]: (100.0, 5.0)}, 2, {}) == 0


def test_a_method_without_a_finished_run_takes_what_others_take_in_as_many_budgets() -> None:
    runs = grid(SNIP, IMP, values=2)
    assert seconds_left(runs, {runs[0]: (6.0, 6.0)}, 1, {}) == 6 + 24 + 24
    assert seconds_left(grid(SNIP, values=1), {}, 1, {("lenet300-digits", "imp[rounds=3]"): [4.0]}) == 10.0
    other_task = [replace(run, task="lenet300-fmnist", epochs=30) for run in runs[2:]]
    assert seconds_left([*runs[:1], *other_task], {runs[0]: (6.0, 6.0)}, 1, {}) == 3 * (24 + 24)
    of_that_task = {("lenet300-fmnist", "snip"): [2.0]}  # not those of another task, where there are some of its own
    assert seconds_left([*runs[:1], *other_task], {runs[0]: (6.0, 6.0)}, 1, of_that_task) == 2 * 30 * 2.0 * 4


def test_rows_of_earlier_say_what_a_method_takes_until_it_says_so_itself() -> None:
    rows = [
        {"task": "lenet300-digits", "method": method, "train_seconds": seconds, "epochs": "10"}
        for method, seconds in (("snip", "30"), ("snip", "50"), ("snip", "31"), ("imp[rounds=3]", ""), ("gone", "70"))
    ]
    earlier = seconds_per_epoch(rows)
    assert earlier == {("lenet300-digits", "snip"): [3, 5, 3.1], ("lenet300-digits", "gone"): [7]}
    runs = grid(SNIP, values=3)
    assert seconds_left(runs, {}, 1, earlier) == 3 * 31
    assert seconds_left(runs, {}, 3, earlier) == 31
    assert seconds_left(runs, {runs[0]: (8.0, 8.0)}, 1, earlier) == 2 * 8
    assert seconds_left(grid(IMP, values=1), {}, 1, earlier) == pytest.approx(4 * 10 * (3.1 + 7) / 2)


def test_what_took_longer_before_is_expected_to_take_less_where_the_rest_does_now() -> None:
    runs = grid(SNIP, IMP, values=2)
    earlier = {("lenet300-digits", "snip"): [1.6], ("lenet300-digits", "imp[rounds=3]"): [7.0]}
    assert seconds_left(runs, {}, 1, earlier) == 2 * 16 + 2 * 70
    assert seconds_left(runs, {runs[0]: (8.0, 8.0)}, 1, earlier) == 8 + 2 * 35


def simulate(runs: list[Run], seconds: dict[Run, float], workers: int) -> list[tuple[float, Run]]:
    """When each run ends, in order: workers take 5 s to start, and a fifth more than its training for a run."""
    busy: list[tuple[float, int]] = []
    ends = []
    for index, run in enumerate(runs):
        begin = 5.0
        if len(busy) == workers:
            begin, ended = heapq.heappop(busy)
            ends.append((begin, runs[ended]))
        heapq.heappush(busy, (begin + 1.2 * seconds[run], index))
    return ends + [(end, runs[index]) for end, index in sorted(busy)]


@pytest.mark.parametrize("shuffled", [False, True], ids=["in order", "mixed"])
@pytest.mark.parametrize(("workers", "noise"), [(1, 0.1), (2, 0.0), (2, 0.1), (16, 0.0)])
def test_time_left_is_right_within_a_third_after_a_tenth_of_the_runs(
    workers: int, noise: float, shuffled: bool
) -> None:
    runs = grid(SNIP, IMP, values=10, seeds=3)
    chance = random.Random(0)
    if shuffled:
        chance.shuffle(runs)
    seconds = {run: (10 if run.method == "snip" else 40) * chance.uniform(1 - noise, 1 + noise) for run in runs}
    ends = simulate(runs, seconds, workers)
    last = ends[-1][0]
    finished: dict[Run, tuple[float, float | None]] = {}
    for end, run in ends:
        finished[run] = end, seconds[run]
        left = seconds_left(runs, finished, workers, {})
        if len(finished) >= len(runs) / 10:
            assert left == pytest.approx(last - end, rel=1 / 3, abs=1e-9), f"after {len(finished)} of {len(runs)}"


def test_packs_are_told_right_once_they_end() -> None:
    """Their runs end at once, each with its share of the pack's seconds."""
    runs = grid(SNIP, values=8, seeds=4)
    finished: dict[Run, tuple[float, float | None]] = dict.fromkeys(runs[:8], (80.0, 10.0))
    assert seconds_left(runs, finished, 1, {}) == 3 * 80
    finished |= dict.fromkeys(runs[8:16], (160.0, 10.0))
    assert seconds_left(runs, finished, 1, {}) == 2 * 80


def test_counts_are_told_in_a_few_words() -> None:
    assert (
        str(standing({"ok": 3, "diverged": 1, "error": 1}, 66, 2, 190.4)) == "5/66 (2 running, 2 failed, 0:03:10 left)"
    )
    assert str(standing({"ok": 65}, 66, 2, None)) == "65/66 (1 running, 0 failed)"
    assert str(standing({"ok": 1}, 3, 1, -5.0)) == "1/3 (1 running, 0 failed, 0:00:00 left)"


RUNS = [Run("lenet300-digits", "snip", value, 0, 2, 0.1, made_data=True) for value in (0.5, 0.2, 0.1)]


def test_a_sweep_knows_at_once_what_earlier_rows_of_its_device_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, quiet = Settings("cpu", Path("nowhere")), Console(quiet=True)
    sweep("test", RUNS[:1], tmp_path, settings, 1, quiet)
    monkeypatch.setattr("benchmark.sweep.sweep.run_all", lambda *asked: iter(()))
    path = tmp_path / "runs.csv"
    (row,) = read(path)
    for device, left in (("cpu", 2 * 100.0), ("cuda", None)):
        path.unlink()
        append(path, COLUMNS, [tuple((row | {"train_seconds": "100", "device": device}).values())])
        sweep("test", RUNS, tmp_path, settings, 1, quiet)
        invocation = latest(tmp_path)
        assert invocation is not None and invocation.seconds_left == left


def log(folder: Path, terminal: bool) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=200, color_system=None)
    sweep("test", RUNS, folder, Settings("cpu", Path("nowhere")), 1, console)
    return file.getvalue()


def test_a_log_has_a_line_for_every_run_with_the_counts_and_the_time_left(tmp_path: Path) -> None:
    _, *lines = log(tmp_path, terminal=False).splitlines()
    for index, line in enumerate(filter(None, lines), 1):
        start = f"{index}/3 ({min(1, 3 - index)} running, 0 failed, 0:00:0"
        assert line.startswith(start) and f"left) snip density {RUNS[index - 1].value:g} seed 0: CR" in line


def test_a_terminal_has_a_bar_with_the_counts_the_time_left_and_the_latest_run(tmp_path: Path) -> None:
    shown = log(tmp_path, terminal=True)
    for words in ("0/3 runs", "1 running", "starting", "0 failed", "left", "snip density 0.1 seed 0: CR"):
        assert words in shown


def test_the_bar_counts_down_between_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("benchmark.sweep.progress.time.monotonic", lambda: now)
    console = Console(file=io.StringIO(), force_terminal=True, width=200, color_system=None)
    with bar(console, Standing(0, 9, 2, 0, None)) as show:
        show(Standing(1, 9, 2, 1, 90.0), "latest")
        now += 30
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    assert "1/9 runs 2 running 1 failed 0:01:00 left latest" in told


def test_the_display_tells_the_best_of_each_method_so_far(tmp_path: Path) -> None:
    runs = [Run("lenet300-digits", "snip", value, 0, 2, 0.1, made_data=True) for value in (0.5, 0.1)]
    console = Console(file=io.StringIO(), force_terminal=True, width=120, height=40)
    sweep("test", runs, tmp_path, Settings("cpu", tmp_path), 1, console)
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    assert "CR within a point" in told and "snip" in told.partition("CR within a point")[2]


def test_what_takes_long_is_asked_again_only_where_it_takes_a_hundredth_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr("benchmark.sweep.progress.time", SimpleNamespace(monotonic=lambda: clock[0]))
    called = []

    def slow() -> int:
        clock[0] += 2.0
        called.append(clock[0])
        return len(called)

    answer = sparingly(slow)
    answers = []
    for _ in range(1000):
        answers.append(answer())
        clock[0] += 1.0
    assert called == [2, 202, 402, 602, 802, 1002]
    assert answers[:2] == [1, 1] and answers[-1] == len(called)
