"""From an experiment to its rows: plan the runs, leave out those done, compute the rest, write each as it ends."""

from __future__ import annotations

import math
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmark.engines.dispatch import places, run_all
from benchmark.engines.settings import Settings
from benchmark.errors import UsageError
from benchmark.experiments.run import Run
from benchmark.records.schema import COLUMNS, CURVE_COLUMNS, LAYER_COLUMNS, THRESHOLD_COLUMNS
from benchmark.records.table import compress, read, repair
from benchmark.sweep import invocation, progress, status
from benchmark.sweep.folder import locked
from benchmark.sweep.rows import make_row, tell, write
from benchmark.tasks.registry import get_task

FINISHED = ("ok", "diverged")  # runs with another status have failed
FILES = {
    "runs.csv": COLUMNS,
    "curves.csv": CURVE_COLUMNS,
    "layers.csv": LAYER_COLUMNS,
    "thresholds.csv": THRESHOLD_COLUMNS,
}


def to_do(runs: list[Run], folder: Path, retry: bool = False) -> list[Run]:
    """The runs that have no row in `runs.csv` yet; with `retry` those that failed, too."""
    path = folder / "runs.csv"
    rows = read(path) if _started(path) else []
    done = {row["key"] for row in rows if row["status"] in FINISHED or not retry}
    return [run for run in runs if run.key not in done]


def sweep(
    name: str,
    runs: list[Run],
    folder: Path,
    settings: Settings,
    workers: int | None,
    console: Console,
    retry: bool = False,
) -> Counter[str]:
    """Compute what is to do and append it to the folder's CSVs; return how many runs ended with which status.

    Raises UsageError where the folder cannot be written, at the start or, with all rows so far, later.
    """
    _check_writable(folder)
    settings = replace(settings, checkpoints=folder.absolute() / "checkpoints")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with locked(folder):
            remaining = _prepare(name, runs, folder, settings, console, retry)
            try:
                planned = len(runs)
                statuses = _compute(name, planned, remaining, folder, settings, workers, console) if remaining else {}
                compress(folder / "curves.csv")
            except OSError as error:
                raise UsageError(
                    f"results can no longer be written to {folder} ({error.strerror}); rows so far are kept, "
                    "and the same command goes on from there"
                ) from None
            return Counter(statuses)
    except UsageError:
        with suppress(OSError):  # what was made for nothing; a folder that holds anything stays
            for path in made:
                path.rmdir()
        raise


def _prepare(name: str, runs: list[Run], folder: Path, settings: Settings, console: Console, retry: bool) -> list[Run]:
    """Repair and check what is there; the runs that remain, with their data at hand."""
    for file, columns in FILES.items():
        if warning := repair(folder / file):
            console.print(f"warning: {warning}", soft_wrap=True)
        if _started(folder / file):
            read(folder / file, columns)
    remaining = to_do(runs, folder, retry)
    told = f"{name}: {len(runs)} runs, {len(runs) - len(remaining)} finished before, {len(remaining)} to do"
    if failed := len(to_do(runs, folder, retry=True)) - len(remaining):
        told += f"; {failed} of the finished failed, --retry failed runs them again"
    console.print(told, soft_wrap=True)
    _check_one_budget(remaining, folder)
    for task, made_data in dict.fromkeys((run.task, run.made_data) for run in remaining):
        if not made_data:  # here and once, so that what is missing is told, or fetched, before all else
            get_task(task).data(settings.data_folder)
    return remaining


def _compute(
    name: str, planned: int, runs: list[Run], folder: Path, settings: Settings, workers: int | None, console: Console
) -> Counter[str]:
    statuses: Counter[str] = Counter()
    version, commit, device = invocation.version(), invocation.commit(), settings.device.partition(":")[0]
    slots = min(places(settings, workers), len(runs))
    before = read(folder / "runs.csv") if _started(folder / "runs.csv") else []
    earlier = progress.seconds_per_epoch(row for row in before if row["device"] == device)
    finished: dict[Run, tuple[float, float | None]] = {}
    told: list[dict[str, str]] = []

    def end() -> float:
        seconds = progress.seconds_left(runs, finished, slots, earlier)
        return math.nan if seconds is None else time.monotonic() + seconds

    def board() -> Table:
        return status.board(status.best([*before, *told], folder / "runs.csv"))

    expected_end, best_so_far = progress.sparingly(end), progress.sparingly(board)  # however many rows there are
    left = progress.seconds_left(runs, finished, slots, earlier)
    rows = {"before": len(before), "written": 0}
    asked = {"device": settings.device, "workers": slots, "planned": planned, "to_do": len(runs)}
    with (
        invocation.recorded(folder, **asked, rows=rows, seconds_left=left) as record,
        progress.bar(console, progress.standing(statuses, len(runs), slots, left)) as show,
    ):
        begun = time.monotonic()
        for part in run_all(runs, settings, slots):
            done = [make_row(name, run, result, device, version, commit) for run, result in part]
            write(folder, done, [result for _, result in part])
            for row, (run, result) in zip(done, part, strict=True):
                statuses[row.status] += 1
                told.append({column: str(getattr(row, column)) for column in COLUMNS})
                finished[run] = time.monotonic() - begun, row.train_seconds
                seconds = expected_end() - time.monotonic() if len(finished) < len(runs) else 0.0
                left = None if math.isnan(seconds) else max(seconds, 0.0)
                now = progress.standing(statuses, len(runs), slots, left)
                show(now, tell(row), best_so_far() if console.is_terminal else None)
                for warning in result.warnings:
                    console.print(f"warning: {warning}", soft_wrap=True)
                if result.traceback or not console.is_terminal:
                    console.print(result.traceback or f"{now} {tell(row)}", soft_wrap=True)
            record(rows=rows | {"written": statuses.total()}, statuses=dict(statuses), seconds_left=left)
    return statuses


def _started(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _check_one_budget(runs: list[Run], folder: Path) -> None:
    """A folder's runs share their budget and precision, or its fronts would compare what cannot be compared."""
    path = folder / "runs.csv"
    rows = read(path) if _started(path) else []
    there = {(row["task"], int(row["epochs"]), row["precision"]) for row in rows if row["status"] in FINISHED}
    for task, epochs, precision in there:
        for run in runs:
            if run.task == task and (run.epochs, run.precision) != (epochs, precision):
                raise UsageError(
                    f"{path} holds runs of {epochs} epochs in {precision} on {task}, and these would be of "
                    f"{run.epochs} in {run.precision}; choose another folder with --results"
                )


def _check_writable(folder: Path) -> None:
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
        for path in (folder / file for file in FILES):
            if path.exists():
                path.open("ab").close()
    except OSError as error:
        raise UsageError(
            f"results cannot be written to {folder}: {error.strerror}; choose a folder with --results"
        ) from None
