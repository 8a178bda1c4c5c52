"""The time that the runs of a sweep will still take: one estimate for `plan`, the progress bar and `status`."""

from __future__ import annotations

import heapq
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import zip_longest
from statistics import median
from typing import cast

import torch

from benchmark.data.split import Data
from benchmark.data.synthetic import synthetic_examples, whole_batches
from benchmark.engines.signals import ending_after
from benchmark.errors import UsageError, error_text
from benchmark.experiments.run import Run
from benchmark.sweep.invocation import MOST_SECONDS
from benchmark.tasks.registry import get_task
from benchmark.tasks.task import Task
from benchmark.training.devices import hardware, numerics
from benchmark.training.loop import train
from methods.core.plugins import place_in_plugin
from methods.core.registry import METHODS, MethodError, parse
from methods.core.spec import name_of

LARGE = 100_000  # numbers of an input, of which a few fill the cores of a CPU
FEW = 4
LONGEST = 20.0  # seconds, after which no further method is timed
Kind = tuple[str, str]  # a task and a method; its seconds are those of one epoch of training
Finished = Mapping[Run, tuple[float, float | None]]


class _TimeIsUp(BaseException):
    """No Exception, since torch's compiler takes one for a failure of its own."""


def seconds_per_epoch(rows: Iterable[Mapping[str, str]], device: str, hardware: str) -> dict[Kind, list[float]]:
    """Return the seconds that an epoch took in the rows that a device type computed, by task and method.

    If some rows of a task and method name the same hardware, only these count.
    """
    took: dict[bool, dict[Kind, list[float]]] = {True: {}, False: {}}
    for row in rows:
        if row["device"] == device:
            with suppress(ValueError, ArithmeticError):  # a run that failed has no seconds; others overflow
                epochs = trained_epochs(row["method"], float(row["value"]), int(row["epochs"]))
                seconds = float(row["train_seconds"]) / epochs
                if 0 <= seconds < MOST_SECONDS:
                    took[row["hardware"] == hardware].setdefault((row["task"], row["method"]), []).append(seconds)
    return took[False] | took[True]


def expected_seconds(
    runs: Sequence[Run], rows: Iterable[Mapping[str, str]], device: str, workers: int
) -> tuple[float | None, int]:
    """Return the seconds that the runs will take, before any of them began, and the number of methods without a time.

    A task and method without a row of this device is timed on synthetic data, until LONGEST is over. The rest count as
    the others do, see `seconds_left`. The seconds are None if nothing says how long a run takes.
    """
    present = torch.device(device)
    known = seconds_per_epoch(rows, present.type, hardware(present))
    new: dict[str, dict[str, Run]] = {}
    for run in runs:
        if (run.task, run.method) not in known:
            new.setdefault(run.task, {}).setdefault(run.method, run)
    # A method of each task, then another one of each: tasks differ more than methods do.
    turns = [run for turn in zip_longest(*(of_task.values() for of_task in new.values())) for run in turn if run]
    timed = timed_epochs(turns, device)
    return seconds_left(runs, {}, workers, known | timed), len(turns) - len(timed)


def timed_epochs(runs: Iterable[Run], device: str) -> dict[Kind, list[float]]:
    """Return the seconds of an epoch of each task and method, by a few steps on synthetic data, until LONGEST is over.

    Raises UsageError with the reason if one cannot be trained.
    """
    took: dict[Kind, list[float]] = {}
    with suppress(_TimeIsUp), numerics(), ending_after(LONGEST, _TimeIsUp()):
        for run in runs:
            if (run.task, run.method) not in took:
                try:
                    took[run.task, run.method] = [_timed_epoch(run, device)]
                except (UsageError, MethodError):
                    raise
                except Exception as error:
                    reason = f"{error_text(error)}{place_in_plugin(error)}"
                    raise UsageError(f"{run.method} on {run.task} fails when its steps are timed: {reason}") from None
    return took


def _timed_epoch(run: Run, device: str) -> float:
    task, method = get_task(run.task), parse(run.method)
    data = _timing_data(task, device).to(device)
    for _ in range(2):  # the first training warms up
        (result,) = train(task, method, [run.value], [run.seed], 1, run.learning_rate, data, run.precision)
    measured = result.measured
    assert measured.step_ms is not None and measured.batch_size is not None
    assert measured.train_seconds is not None and measured.steps is not None
    once = max(measured.train_seconds - measured.steps * measured.step_ms / 1000, 0.0)  # set-up and finish of a run
    examples = synthetic_examples(task.shape, task.vocabulary) if run.synthetic else task.examples
    batch_size = min(task.batch_size, examples)
    steps = examples // batch_size * measured.step_ms / 1000 * batch_size / measured.batch_size
    return steps + once / trained_epochs(run.method, run.value, run.epochs)


def _timing_data(task: Task, device: str) -> Data:
    """Return synthetic data for a few steps: four large images where a step of many takes a CPU minutes."""
    data = task.synthetic_data()
    return whole_batches(data, FEW, 1, FEW) if device == "cpu" and math.prod(task.shape) > LARGE else data


def seconds_left(
    runs: Sequence[Run], finished: Finished, workers: int, earlier: Mapping[Kind, list[float]]
) -> float | None:
    """Return the seconds from the latest end of a run to the end of all, or None if nothing says how long a run takes.

    `finished` holds for each run when it ended, in seconds since the sweep began and in order, and how long it trained
    if that is known. `earlier` holds the seconds per epoch that are known from before. For a task and method without a
    finished run they count, scaled by how much faster or slower the finished runs are than their own earlier seconds.

    Runs begin in their order, each when another one ends. A run that is being computed counts with the time it has
    had, and the other runs are dealt to the workers. (Dividing the elapsed time by the finished share would be far off
    while many runs are being computed, and for the last ones.)
    """
    measured: dict[Kind, list[float]] = {}
    for run, (_, seconds) in finished.items():
        if seconds:
            measured.setdefault((run.task, run.method), []).append(seconds / _epochs_of(run))
    ratios = [median(measured[kind]) / median(earlier[kind]) for kind in measured.keys() & earlier.keys()]
    slowdown = median(ratios) if ratios else 1.0  # today's machine may be another or busier one
    took = {kind: [slowdown * seconds for seconds in before] for kind, before in earlier.items()} | measured
    if not took:
        return None
    ends = [end for end, _ in finished.values()]
    now = max(ends, default=0.0)
    begun = dict(zip(runs[workers:], ends, strict=False))  # the first runs begin at 0

    # A run takes longer than its training. A worker's first run takes longer still, and is left out.
    later = [(end - begun[run], seconds or 0.0) for run, (end, seconds) in finished.items() if run in begun]
    trained = sum(seconds for _, seconds in later)
    overhead = max(sum(taken for taken, _ in later) / trained, 1.0) if trained else 1.0

    ahead = [run for run in runs if run not in finished]
    epoch = {kind: overhead * _expected(kind, took) for kind in {(run.task, run.method) for run in ahead}}
    takes = [_epochs_of(run) * epoch[run.task, run.method] for run in ahead]
    free = [max(begun.get(run, 0.0) + seconds - now, 0.0) for run, seconds in zip(ahead, takes, strict=True)][:workers]
    heapq.heapify(free)  # when each worker is free for its next run
    for seconds in takes[workers:]:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free, default=0.0)


def _expected(kind: Kind, took: Mapping[Kind, list[float]]) -> float:
    """Return the expected seconds of an epoch: the median of the task and method themselves, if it is known.

    Otherwise it is the median of the task's other methods, else of all.
    """
    if kind in took:
        return median(took[kind])
    alike = [known for known in took if known[0] == kind[0]] or list(took)
    return median(median(took[known]) for known in alike)


def trained_epochs(method: str, value: float, epochs: int) -> float:
    """Return the epochs that a run trains for: those of its budget, as often as its phases say."""
    with suppress(MethodError):  # an earlier row may name a method of a plugin that is not loaded now
        return epochs * _budgets(method, value, cast(Hashable, METHODS.get(name_of(method))))
    return float(epochs)


@lru_cache(maxsize=4096)  # a sweep asks for the same few once for each of its runs
def _budgets(method: str, value: float, registered: Hashable) -> float:
    return sum(parse(method).phases_at(value))


def _epochs_of(run: Run) -> float:
    return trained_epochs(run.method, run.value, run.epochs)
