"""The estimate of the time that a sweep will still take."""

from __future__ import annotations

import heapq
import random
import signal
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from benchmark.data.synthetic import synthetic_data
from benchmark.errors import UsageError
from benchmark.experiments.run import Run
from benchmark.sweep import estimate
from benchmark.sweep.estimate import expected_seconds, seconds_left, seconds_per_epoch
from benchmark.tasks.registry import get_task
from benchmark.tasks.task import Task
from benchmark.training.loop import train
from methods.core.base import Method
from methods.core.registry import parse

SNIP = Run("lenet300-digits", "snip", 0.5, 0, 10, 0.1)
IMP = replace(SNIP, method="imp[rounds=3]")  # takes four budgets
ROW = {"task": "lenet300-digits", "device": "cpu", "hardware": "mine", "epochs": "10", "value": "0.5"}


def grid(*runs: Run, values: int, seeds: int = 1) -> list[Run]:
    """Return all values of each run, seed by seed, in the order of an experiment."""
    return [
        replace(run, value=(value + 1) / values, seed=seed)
        for seed in range(seeds)
        for run in runs
        for value in range(values)
    ]


def test_there_is_no_estimate_before_a_run_finishes() -> None:
    assert seconds_left(grid(SNIP, values=4), {}, 2, {}) is None
    (run,) = grid(SNIP, values=1)
    assert seconds_left([run], {run: (3.0, None)}, 1, {}) is None  # failed without training


def test_waiting_runs_take_the_median_of_finished_runs_plus_the_overhead() -> None:
    runs = grid(SNIP, values=6)
    finished: dict[Run, tuple[float, float | None]] = {runs[0]: (30.0, 8.0)}  # of which much was the worker's start
    assert seconds_left(runs, finished, 1, {}) == 5 * 8
    finished |= {runs[1]: (40.0, 8.0), runs[2]: (54.0, 12.0)}
    assert seconds_left(runs, finished, 1, {}) == pytest.approx(3 * 8 * (54 - 30) / (8 + 12))
    assert seconds_left(runs[:3], finished, 1, {}) == 0


def test_a_running_run_counts_with_the_time_it_has_had() -> None:
    runs = grid(SNIP, IMP, values=2)
    assert seconds_left(runs, {runs[0]: (8.0, 8.0)}, 1, {}) == 8 + 32 + 32
    # The third run began at 8 s, when the first ended, and the fourth at 9 s, now.
    finished: dict[Run, tuple[float, float | None]] = {runs[0]: (8.0, 8.0), runs[1]: (9.0, 9.0)}
    assert seconds_left(runs, finished, 2, {}) == 4 * 8.5
    # The third took 32 s from there, so at 40 s the fourth has had 31 s.
    finished[runs[2]] = 40.0, 32.0
    assert seconds_left(runs, finished, 2, {}) == 1


def test_the_last_runs_go_to_the_first_free_worker() -> None:
    runs = grid(SNIP, IMP, values=2)  # 8, 8, 32 and 32 seconds
    earlier = {("lenet300-digits", "snip"): [0.8]}
    assert seconds_left(runs, {}, 2, earlier) == 8 + 32
    assert seconds_left(runs, {}, 3, earlier) == 8 + 32  # two have nothing to do after 8 and 32 s
    assert seconds_left(runs, {}, 4, earlier) == 32


def test_a_run_slower_than_all_others_has_zero_seconds_left() -> None:
    runs = grid(SNIP, values=3)
    assert seconds_left(runs, {runs[1]: (5.0, 5.0), runs[2]: (100.0, 5.0)}, 2, {}) == 0


def test_a_method_without_a_finished_run_is_estimated_from_other_methods_and_its_budgets() -> None:
    runs = grid(SNIP, IMP, values=2)
    assert seconds_left(runs, {runs[0]: (6.0, 6.0)}, 1, {}) == 6 + 24 + 24
    assert seconds_left(grid(SNIP, values=1), {}, 1, {("lenet300-digits", "imp[rounds=3]"): [1.0]}) == 10.0
    other_task = [replace(run, task="lenet300-fmnist", epochs=30) for run in runs[2:]]
    assert seconds_left([*runs[:1], *other_task], {runs[0]: (6.0, 6.0)}, 1, {}) == 3 * (24 + 24)
    of_that_task = {("lenet300-fmnist", "snip"): [2.0]}  # not those of another task, where there are some of its own
    assert seconds_left([*runs[:1], *other_task], {runs[0]: (6.0, 6.0)}, 1, of_that_task) == 2 * 30 * 2.0 * 4


def test_a_plan_counts_the_budgets_that_a_value_asks_for() -> None:
    """At 20 % a round, a density of 0.5 takes four rounds after the first training, and 0.01 takes 21."""
    half, few = (replace(SNIP, method="imp", value=value) for value in (0.5, 0.01))
    earlier = {("lenet300-digits", "snip"): [0.1]}
    assert seconds_left([half], {}, 1, earlier) == 5 * 10 * 0.1
    assert seconds_left([few], {}, 1, earlier) == 22 * 10 * 0.1
    assert seconds_left([half, few], {half: (10.0, 10.0)}, 1, {}) == pytest.approx(44)
    rows = [ROW | {"method": "imp", "value": "0.01", "train_seconds": "44"}]
    assert seconds_per_epoch(rows, "cpu", "mine") == {("lenet300-digits", "imp"): [0.2]}


def test_earlier_rows_count_until_a_run_of_the_method_finishes() -> None:
    rows = [
        ROW | {"method": method, "train_seconds": seconds}
        for method, seconds in (("snip", "30"), ("snip", "50"), ("snip", "31"), ("imp[rounds=3]", ""), ("gone", "70"))
    ]
    earlier = seconds_per_epoch(rows, "cpu", "mine")
    assert earlier == {("lenet300-digits", "snip"): [3, 5, 3.1], ("lenet300-digits", "gone"): [7]}
    runs = grid(SNIP, values=3)
    assert seconds_left(runs, {}, 1, earlier) == 3 * 31
    assert seconds_left(runs, {}, 3, earlier) == 31
    assert seconds_left(runs, {runs[0]: (8.0, 8.0)}, 1, earlier) == 2 * 8
    assert seconds_left(grid(IMP, values=1), {}, 1, earlier) == pytest.approx(4 * 10 * (3.1 + 7) / 2)


def test_earlier_seconds_are_scaled_by_the_speed_of_the_finished_runs() -> None:
    runs = grid(SNIP, IMP, values=2)
    earlier = {("lenet300-digits", "snip"): [1.6], ("lenet300-digits", "imp[rounds=3]"): [1.75]}
    assert seconds_left(runs, {}, 1, earlier) == 2 * 16 + 2 * 70
    assert seconds_left(runs, {runs[0]: (8.0, 8.0)}, 1, earlier) == 8 + 2 * 35


def simulate(runs: list[Run], seconds: dict[Run, float], workers: int) -> list[tuple[float, Run]]:
    """Return when each run ends, in order: a worker starts in 5 s, and a run takes 1.2 times its training."""
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
def test_the_estimate_is_right_within_a_third_after_a_tenth_of_the_runs(
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


def test_packs_are_estimated_once_one_has_finished() -> None:
    """The runs of a pack end together, and each has its share of the pack's seconds."""
    runs = grid(SNIP, values=8, seeds=4)
    finished: dict[Run, tuple[float, float | None]] = dict.fromkeys(runs[:8], (80.0, 10.0))
    assert seconds_left(runs, finished, 1, {}) == 3 * 80
    finished |= dict.fromkeys(runs[8:16], (160.0, 10.0))
    assert seconds_left(runs, finished, 1, {}) == 2 * 80


def test_rows_of_the_same_hardware_come_first() -> None:
    rows = [
        ROW | {"method": "snip", "train_seconds": "30"},
        ROW | {"method": "snip", "train_seconds": "90", "hardware": "another"},
        ROW | {"method": "gmp", "train_seconds": "50", "hardware": "another"},
        ROW | {"method": "gmp", "train_seconds": "70", "device": "cuda", "hardware": "mine"},
    ]
    assert seconds_per_epoch(rows, "cpu", "mine") == {
        ("lenet300-digits", "snip"): [3],
        ("lenet300-digits", "gmp"): [5],
    }


def test_a_plan_times_only_methods_without_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "hardware", lambda device: "mine")
    timed: list[str] = []

    def train_briefly(task: Task, method: Method, *others: Any) -> list[SimpleNamespace]:
        timed.append(str(method))
        return [SimpleNamespace(measured=SimpleNamespace(step_ms=3.125, batch_size=32, steps=8, train_seconds=0.025))]

    monkeypatch.setattr(estimate, "train", train_briefly)
    monkeypatch.setattr(estimate, "get_task", lambda name: replace(get_task(name), batch_size=32, examples=1_293))
    rows = [ROW | {"method": "snip", "train_seconds": "20"}]
    runs = grid(SNIP, IMP, values=2)
    epoch = 4 * 40 * 0.003125  # seconds: four budgets of 40 steps
    assert expected_seconds(runs, rows, "cpu", 1) == (2 * 10 * 2 + 2 * 10 * epoch, 0)
    assert set(timed) == {"imp[rounds=3]"}
    assert expected_seconds(runs, rows, "cpu", 2) == (20 + 5, 0)


def test_timing_ends_in_time_with_a_method_of_each_task_first(monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[str] = []

    def train_slowly(task: Task, method: Method, *others: Any) -> list[SimpleNamespace]:
        timed.append(f"{method} on {task.dataset}")
        if len(timed) > 4:  # each training comes twice
            left, interval = signal.getitimer(signal.ITIMER_REAL)
            assert 0 < left <= estimate.LONGEST and interval
            with suppress(Exception):  # as code of others may do
                signal.raise_signal(signal.SIGALRM)
            signal.raise_signal(signal.SIGALRM)
        return [SimpleNamespace(measured=SimpleNamespace(step_ms=1.0, batch_size=1_293, steps=1, train_seconds=0.001))]

    monkeypatch.setattr(estimate, "train", train_slowly)
    monkeypatch.setattr(estimate, "get_task", lambda name: replace(get_task(name), batch_size=1_293, examples=1_293))
    runs = [SNIP, IMP, replace(SNIP, task="lenet300-fmnist")]
    assert expected_seconds(runs, [], "cpu", 1) == (pytest.approx(10 * 0.001 * (1 + 4 + 1)), 1)
    assert timed[::2] == ["snip on digits", "snip on FashionMNIST", "imp[rounds=3] on digits"]
    assert expected_seconds([IMP], [], "cpu", 1) == (None, 1)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_a_method_that_cannot_be_timed_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*asked: object) -> None:
        raise MemoryError("too\nlarge")

    monkeypatch.setattr(estimate, "train", fail)
    with pytest.raises(UsageError, match=r"snip on lenet300-digits fails .* timed: MemoryError: too large$"):
        expected_seconds([SNIP], [], "cpu", 1)


def test_a_timed_epoch_multiplies_the_step_by_the_steps_of_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digits have 1,293 training examples: 40 batches of 32."""
    step = SimpleNamespace(step_ms=2.0, batch_size=32, steps=10, train_seconds=0.02)
    monkeypatch.setattr(estimate, "train", lambda *arguments: [SimpleNamespace(measured=step)])
    monkeypatch.setattr(estimate, "get_task", lambda name: replace(get_task(name), batch_size=32, examples=1_293))
    assert estimate.timed_epochs([SNIP, IMP, SNIP], "cpu") == {
        ("lenet300-digits", "snip"): [pytest.approx(40 * 0.002)],
        ("lenet300-digits", "imp[rounds=3]"): [pytest.approx(40 * 0.002)],
    }
    synthetic = replace(SNIP, synthetic=True)  # 2,000 examples: 62 batches
    assert estimate.timed_epochs([synthetic], "cpu") == {
        ("lenet300-digits", "snip"): [pytest.approx(62 * 0.002)],
    }
    step.train_seconds += 5  # once in a run of ten epochs, for scores or for a cut at the end
    assert estimate.timed_epochs([SNIP], "cpu") == {("lenet300-digits", "snip"): [pytest.approx(40 * 0.002 + 0.5)]}


def test_a_step_on_few_large_images_is_multiplied_to_a_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    step = SimpleNamespace(step_ms=2.0, batch_size=4, steps=1, train_seconds=0.002)
    seen = []

    def timed(*arguments: Any) -> list[SimpleNamespace]:
        seen.append(len(arguments[6].train[1]))
        return [SimpleNamespace(measured=step)]

    monkeypatch.setattr(estimate, "train", timed)
    large = replace(get_task("lenet300-digits"), shape=(3, 224, 224), batch_size=32, examples=1_293)
    monkeypatch.setattr(estimate, "get_task", lambda name: large)
    assert estimate.timed_epochs([SNIP], "cpu") == {("lenet300-digits", "snip"): [pytest.approx(40 * 8 * 0.002)]}
    assert seen == [4, 4]


def test_an_estimate_agrees_with_the_training_it_predicts() -> None:
    """A run of four synthetic epochs takes within a factor of five of its plan, on any machine."""
    run = Run("lenet300-digits", "dense", 1.0, 0, 4, 0.1, synthetic=True)
    planned, untimed = expected_seconds([run], [], "cpu", 1)
    assert planned and not untimed
    task = get_task(run.task)
    (result,) = train(task, parse(run.method), [1.0], [0], 4, 0.1, synthetic_data(task.shape, task.classes), "float32")
    assert result.measured.train_seconds is not None
    assert planned / 5 < result.measured.train_seconds < planned * 5


@pytest.mark.parametrize(
    ("column", "text"), [("epochs", "9" * 400), ("epochs", "0"), ("train_seconds", "1e300"), ("train_seconds", "nan")]
)
def test_a_row_with_an_impossible_number_says_nothing_on_the_time(column: str, text: str) -> None:
    row = ROW | {"method": "snip", "train_seconds": "5"}
    assert seconds_per_epoch([row, row | {column: text}], "cpu", "mine") == {("lenet300-digits", "snip"): [0.5]}
