"""How far a sweep is: runs done, running and failed, and the time left, as a line of a log or a bar on a terminal."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any, TypeVar

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from benchmark.experiments.run import Run
from methods.core.registry import MethodError, parse

Kind = tuple[str, str]  # a task and a method
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Standing:
    """How many of the runs to do are done, under way and failed, and the seconds left where they can be told."""

    done: int
    total: int
    running: int
    failed: int
    left: float | None

    def __str__(self) -> str:
        parts = [f"{self.running} running", f"{self.failed} failed"]
        parts += [] if self.left is None else [tell_left(self.left)]
        return f"{self.done}/{self.total} ({', '.join(parts)})"


def standing(statuses: Mapping[str, int], total: int, workers: int, left: float | None) -> Standing:
    """From how many runs ended with which status, and how many workers there are for the others."""
    done = sum(statuses.values())
    return Standing(done, total, min(workers, total - done), done - statuses.get("ok", 0), left)


def seconds_per_epoch(rows: Iterable[Mapping[str, str]]) -> dict[Kind, list[float]]:
    """What an epoch of each kind of run took in the rows of a folder."""
    took: dict[Kind, list[float]] = {}
    for row in rows:
        with suppress(ValueError):  # a run that failed has no seconds
            seconds = float(row["train_seconds"]) / int(row["epochs"])
            took.setdefault((row["task"], row["method"]), []).append(seconds)
    return took


def seconds_left(
    runs: Sequence[Run],
    finished: Mapping[Run, tuple[float, float | None]],
    workers: int,
    earlier: Mapping[Kind, list[float]],
) -> float | None:
    """Seconds from the last end of a run to the end of all; None where nothing says how long a run takes.

    `finished` has when each run ended, in seconds since the first began and in order, and how long it trained, where
    known; `earlier` what epochs took before, for kinds of which no run finished since, and which count as much faster
    or slower as the others now are. Runs begin in their order, each when another ends, so what is under way counts with
    the time it has had, and the rest is dealt to the workers.
    Elapsed time in proportion to finished work would be far off with many runs under way, and for the last ones.
    """
    now_took: dict[Kind, list[float]] = {}
    for run, (_, seconds) in finished.items():
        if seconds:
            now_took.setdefault((run.task, run.method), []).append(seconds / run.epochs)
    ratios = [median(now_took[kind]) / median(earlier[kind]) for kind in now_took.keys() & earlier.keys()]
    change = median(ratios) if ratios else 1.0  # another machine, or one that had more to do
    took = {kind: [change * seconds for seconds in before] for kind, before in earlier.items()} | now_took
    if not took:
        return None
    ends = [end for end, _ in finished.values()]
    now = max(ends, default=0.0)
    begun = dict(zip(runs[workers:], ends, strict=False))  # the first ones at 0

    # A run takes more than its training, and a worker's first one more again, which will not come back.
    later = [(end - begun[run], seconds or 0.0) for run, (end, seconds) in finished.items() if run in begun]
    trained = sum(seconds for _, seconds in later)
    pace = max(sum(taken for taken, _ in later) / trained, 1.0) if trained else 1.0

    ahead = [run for run in runs if run not in finished]
    epoch = {kind: pace * _expected(kind, took) for kind in {(run.task, run.method) for run in ahead}}
    takes = [run.epochs * epoch[run.task, run.method] for run in ahead]
    free = [max(begun.get(run, 0.0) + seconds - now, 0.0) for run, seconds in zip(ahead, takes, strict=True)][:workers]
    heapq.heapify(free)  # when each worker has its next run
    for seconds in takes[workers:]:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free, default=0.0)


def _expected(kind: Kind, took: Mapping[Kind, list[float]]) -> float:
    """Seconds of an epoch: the median of its kind, else of the task's other methods, else of all, in equal budgets."""
    if kind in took:
        return median(took[kind])
    task, method = kind
    alike = [known for known in took if known[0] == task] or list(took)
    return _budgets(method) * median(median(took[known]) / _budgets(known[1]) for known in alike)


def _budgets(method: str) -> float:
    """How many times the epochs of others a method takes."""
    with suppress(MethodError):  # an earlier row's, from a plugin that is not here
        return sum(parse(method).phases)
    return 1.0


def sparingly(function: Callable[[], Answer]) -> Callable[[], Answer]:
    """The function, or its last answer where calling it again would take more than a hundredth of the time."""
    answers: list[Answer] = []
    due = -math.inf

    def call() -> Answer:
        nonlocal due
        if (begun := time.monotonic()) >= due:
            answers[:] = [function()]
            due = begun + 100 * (time.monotonic() - begun)
        return answers[0]

    return call


def tell_left(seconds: float) -> str:
    return f"{timedelta(seconds=max(round(seconds), 0))} left"


class _TimeLeft(ProgressColumn):
    """Counts down to the end that was estimated last; rich's own column takes all runs to be alike."""

    def render(self, task: Task) -> Text:
        end = task.fields["end"]
        return Text("" if end is None else tell_left(end - time.monotonic()))


@contextmanager
def bar(console: Console, start: Standing) -> Iterator[Callable[..., None]]:
    """A bar at the bottom of a terminal, and below it what is best so far, gone at the end.

    Gives the function that moves it: it takes the standing, the latest run in words, and a table where it has changed.
    """
    texts = ("{task.completed}/{task.total} runs", "{task.fields[running]} running", "{task.fields[failed]} failed")
    counted = [TextColumn(text, markup=False, table_column=Column(no_wrap=True)) for text in texts]
    newest = TextColumn(
        "{task.fields[latest]}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")
    )
    columns = (BarColumn(16), *counted, _TimeLeft(table_column=Column(no_wrap=True)), newest)

    def fields(now: Standing, latest: str) -> dict[str, Any]:
        end = None if now.left is None else time.monotonic() + now.left
        return {"completed": now.done, "running": now.running, "failed": now.failed, "end": end, "latest": latest}

    progress = Progress(*columns, console=console, expand=True)
    shown = progress.add_task("", total=start.total, **fields(start, "starting"))
    parts: list[RenderableType] = [progress]

    def show(now: Standing, latest: str, board: RenderableType | None = None) -> None:
        progress.update(shown, **fields(now, latest))
        parts[1:] = [board] if board else parts[1:]

    with Live(get_renderable=lambda: Group(*parts), console=console, transient=True) as live:
        live.refresh()
        yield show
