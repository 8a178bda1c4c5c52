"""A sweep: find the runs that an experiment still lacks, compute them, and write each as it finishes."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from benchmark.engines.dispatch import places, run_all
from benchmark.engines.packs import make_packs
from benchmark.engines.settings import Settings
from benchmark.errors import UsageError
from benchmark.experiments.run import Run
from benchmark.sweep import invocation, status
from benchmark.sweep.estimate import seconds_left, seconds_per_epoch
from benchmark.sweep.folder import ResultsFolder
from benchmark.sweep.progress import SweepProgress, bar, throttled
from benchmark.sweep.rows import make_row, tell, told_apart
from benchmark.tasks.loading import check_network, load_data
from benchmark.tasks.registry import get_task
from benchmark.training.devices import hardware
from methods.core.network import Network
from methods.core.registry import MethodError


def sweep(
    name: str,
    runs: list[Run],
    place: Path | ResultsFolder,
    settings: Settings,
    workers: int | None,
    console: Console,
    retry: bool = False,
    extra_outputs: Callable[[Path], None] | None = None,
    several_budgets: bool = False,
) -> Counter[str]:
    """Compute the runs that are not finished and append them to the folder's tables; return the count of each status.

    `extra_outputs` writes the files of an experiment that are not rows; with `several_budgets`, its runs may differ in
    epochs. A ResultsFolder knows the rows afterwards. Raises UsageError if the folder cannot be written, at the start
    or later; rows that are written by then are kept.
    """
    folder = place if isinstance(place, ResultsFolder) else ResultsFolder(place)
    path = folder.path
    settings = replace(settings, checkpoints=path.absolute() / "checkpoints")
    with folder.writing() as warnings:
        for warning in warnings:
            console.print(f"warning: {warning}", soft_wrap=True)
        remaining = _remaining(name, runs, folder, settings, console, retry, several_budgets)
        statuses: Counter[str] = Counter()
        try:
            if remaining or extra_outputs:
                statuses = _compute(name, len(runs), remaining, folder, settings, workers, console, extra_outputs)
            folder.compress()
        except OSError as error:
            folder.check_held()  # gives the reason if the folder is gone
            raise UsageError(
                f"results can no longer be written to {path} ({error.strerror}); rows so far are kept, "
                "and the same command goes on from there"
            ) from None
        return statuses


def _remaining(
    name: str,
    runs: list[Run],
    folder: ResultsFolder,
    settings: Settings,
    console: Console,
    retry: bool,
    several_budgets: bool,
) -> list[Run]:
    """Return the runs to compute, after a line that counts them and checks of budgets, networks and data."""
    remaining = folder.to_do(runs, retry)
    counts = f"{name}: {len(runs)} runs, {len(runs) - len(remaining)} finished before, {len(remaining)} to do"
    if failed := folder.failed_runs(runs) if not retry else 0:
        counts += f"; {failed} of the finished failed, --retry failed runs them again"
    console.print(counts, soft_wrap=True)
    folder.check_one_budget(remaining, several_budgets)
    for task, synthetic in dict.fromkeys((run.task, run.synthetic) for run in remaining):
        try:  # in this process, so that wrong networks and missing files are reported before anything is written
            Network([check_network(get_task(task))])  # refuses networks that cannot be pruned
            if not synthetic:
                load_data(get_task(task), settings.data_folder)
        except (UsageError, MethodError) as error:
            raise UsageError(f"{task}: {error}") from None
        except KeyboardInterrupt:
            raise
        except BaseException:  # a fault in a task's code concerns it alone; its runs meet it again, and rows report it
            continue
    return remaining


def _compute(
    name: str,
    planned: int,
    runs: list[Run],
    folder: ResultsFolder,
    settings: Settings,
    workers: int | None,
    console: Console,
    extra_outputs: Callable[[Path], None] | None,
) -> Counter[str]:
    statuses: Counter[str] = Counter()
    version, commit, device = invocation.version(), invocation.commit(), settings.device.partition(":")[0]
    slots = min(places(settings, workers), len(runs)) if runs else 0
    packs = make_packs(runs, settings, slots) if runs else []
    runs = [run for pack in packs for run in pack]  # in the order in which they begin
    # A cluster's hardware is not known here.
    machine = hardware(torch.device(settings.device)) if settings.engine == "local" else ""
    earlier = seconds_per_epoch(folder.rows, device, machine)
    finished: dict[Run, tuple[float, float | None]] = {}

    def expected_end() -> float:
        seconds = seconds_left(runs, finished, slots, earlier)
        return math.nan if seconds is None else time.monotonic() + seconds

    def board() -> Table:
        return status.board(status.best(folder.rows, folder.path / "runs.csv"))

    fields = told_apart(runs)
    shown: set[str] = set()  # tracebacks, of which many runs may have the same
    throttled_end, throttled_board = throttled(expected_end), throttled(board)  # however many rows there are
    left = seconds_left(runs, finished, slots, earlier)
    if runs:
        apart = settings.apart and slots == 1
        how = " in a process of its own, since the sweep before was killed" if apart else ""
        console.print(f"starting {slots} {'worker' if slots == 1 else 'workers'}{how}")
    rows = {"before": len(folder.rows), "written": 0}
    asked = {"device": settings.device, "workers": slots, "planned": planned, "to_do": len(runs)}
    with (
        invocation.recorded(folder.path, **asked, rows=rows, seconds_left=left) as record,
        bar(console, SweepProgress.count(statuses, len(runs), slots, left)) as show,
    ):
        begun = time.monotonic()
        for part in run_all(packs, settings, slots) if runs else ():
            done = [make_row(name, run, result, device, version, commit) for run, result in part]
            folder.append(done, [result for _, result in part])
            for row, (run, result) in zip(done, part, strict=True):
                statuses[row.status] += 1
                finished[run] = time.monotonic() - begun, row.train_seconds
                seconds = throttled_end() - time.monotonic() if len(finished) < len(runs) else 0.0
                left = None if math.isnan(seconds) else max(seconds, 0.0)
                now = SweepProgress.count(statuses, len(runs), slots, left)
                show(now, tell(row, fields), throttled_board() if console.is_terminal else None)
                for warning in result.warnings:
                    console.print(f"warning: {warning}", soft_wrap=True)
                if result.traceback or not console.is_terminal:
                    console.print(f"{now} {tell(row, fields)}", soft_wrap=True)
                if result.traceback and result.traceback not in shown:
                    console.print(result.traceback, soft_wrap=True)
                    shown.add(result.traceback)
            record(rows=rows | {"written": statuses.total()}, statuses=dict(statuses), seconds_left=left)
        if extra_outputs:
            extra_outputs(folder.path)
    if statuses and console.is_terminal:  # the bar has taken its table away
        console.print(board())
    return statuses
