"""Timing of contenders that take turns, so that the load of the machine changes all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Step = Callable[[], object]

Turn = Callable[[], float]  # takes some steps and returns a measurement


def timed(step: Step, steps: int, device: str, clock: Callable[[], float] = time.perf_counter) -> Turn:
    """Return a turn that takes `steps` steps and returns the milliseconds of one, by a clock that gives seconds."""
    wait = (lambda: None) if device == "cpu" else partial(torch.accelerator.synchronize, device)

    def turn() -> float:
        wait()
        begun = clock()
        for _ in range(steps):
            step()
        wait()
        return 1000 * (clock() - begun) / steps

    return turn


def alternate(contenders: dict[str, Turn], rounds: int) -> dict[str, float]:
    """Return the median measurement of each contender in alternating turns."""
    return {name: statistics.median(times) for name, times in measurements(contenders, rounds).items()}


def measurements(contenders: dict[str, Turn], rounds: int) -> dict[str, list[float]]:
    """Return the measurements of each contender; each takes one turn in every round, after one to warm up.

    Every second round goes backwards, so that no contender always follows the same one.
    """
    measured: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in contenders.values():
        turn()
    order = list(contenders)
    for _ in range(rounds):
        for name in order:
            measured[name].append(contenders[name]())
        order.reverse()
    return measured


def show(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table whose first column holds names and whose others hold numbers."""
    table = Table(title=title, title_justify="left")
    table.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*map(escape, row))
    Console().print(table)
