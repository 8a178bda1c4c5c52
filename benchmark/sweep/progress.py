"""The progress of a sweep: counts of runs and the time left, as a line of a log or as a bar on a terminal."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from benchmark.records.schema import Status

Answer = TypeVar("Answer")
FAILED = frozenset(status for status in Status if status.failed)


@dataclass(frozen=True)
class SweepProgress:
    """Counts of a sweep's runs, and the seconds left if they are known."""

    done: int
    total: int
    running: int
    failed: int
    seconds_left: float | None

    @classmethod
    def count(cls, statuses: Mapping[str, int], total: int, workers: int, seconds_left: float | None) -> SweepProgress:
        """Count runs from the number of runs with each status; every worker that has a run to do is running one."""
        done = sum(statuses.values())
        failed = sum(count for status, count in statuses.items() if Status(status).failed)
        return cls(done, total, min(workers, total - done), failed, seconds_left)

    def __str__(self) -> str:
        parts = [f"{self.running} running", f"{self.failed} failed"]
        parts += [] if self.seconds_left is None else [_format_left(self.seconds_left)]
        return f"{self.done}/{self.total} ({', '.join(parts)})"

    @property
    def sentence(self) -> str:
        """The same counts in words that add up to the total: runs that are done, and runs that are left."""
        parts = [f"{self.running} running"] if self.running else []
        parts += [] if self.seconds_left is None else [_format_left(self.seconds_left)]
        left = f"{self.total - self.done} left" + (f" ({', '.join(parts)})" if parts else "")
        return f"{self.done} done ({self.failed} failed), {left}"


def counted(statuses: Mapping[str, int]) -> str:
    """Return the number of runs with each status; all that `--retry failed` trains again are called failed."""
    parts = [f"{count} {status}" for status, count in statuses.items() if status not in FAILED]
    kinds = [f"{count} {status}" for status, count in statuses.items() if status in FAILED]
    if kinds:
        parts.append(f"{sum(statuses[status] for status in statuses if status in FAILED)} failed ({', '.join(kinds)})")
    return ", ".join(parts)


def throttled(function: Callable[[], Answer]) -> Callable[[], Answer]:
    """Return a function that repeats its last answer whenever a new call would take more than 1 % of the time."""
    answers: list[Answer] = []
    due = -math.inf

    def call() -> Answer:
        nonlocal due
        if (begun := time.monotonic()) >= due:
            answers[:] = [function()]
            due = begun + 100 * (time.monotonic() - begun)
        return answers[0]

    return call


def _format_left(seconds: float) -> str:
    return f"{timedelta(seconds=max(round(seconds), 0))} left"


class _TimeLeft(ProgressColumn):
    """A countdown to the latest estimate of the end. Rich's own column assumes that all runs take equally long."""

    def render(self, task: Task) -> Text:
        end = task.fields["end"]
        return Text("" if end is None else _format_left(end - time.monotonic()))


@contextmanager
def bar(console: Console, start: SweepProgress) -> Iterator[Callable[..., None]]:
    """Show a bar at the bottom of a terminal, with the latest run and a table below it, until the block ends.

    Yields the function that updates them: it takes the progress, a line on the latest run, and a new table or None.
    """
    texts = ("{task.completed}/{task.total} runs", "{task.fields[running]} running", "{task.fields[failed]} failed")
    counted = [TextColumn(text, markup=False, table_column=Column(no_wrap=True)) for text in texts]
    columns = (BarColumn(16), *counted, _TimeLeft(table_column=Column(no_wrap=True)))

    def fields(now: SweepProgress) -> dict[str, Any]:
        end = None if now.seconds_left is None else time.monotonic() + now.seconds_left
        return {"completed": now.done, "running": now.running, "failed": now.failed, "end": end}

    progress = Progress(*columns, console=console)
    shown = progress.add_task("", total=start.total, **fields(start))
    parts: list[RenderableType] = [progress, Text("starting")]

    def show(now: SweepProgress, latest: str, board: RenderableType | None = None) -> None:
        progress.update(shown, **fields(now))
        parts[1:] = [Text(latest), board or Text()]

    with Live(get_renderable=lambda: Group(*parts), console=console, transient=True) as live:
        live.refresh()
        yield show
