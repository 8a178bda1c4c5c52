"""The state of an experiment, read from its folder alone: for another terminal than the sweep's, and without torch."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

from rich.table import Table

from benchmark.errors import UsageError, printable
from benchmark.records.table import read
from benchmark.sweep.folder import ResultsFolder
from benchmark.sweep.invocation import Invocation, as_written, latest
from benchmark.sweep.progress import FAILED, SweepProgress, counted

MOST_REASONS = 5  # an overview names at most these reasons of failures

# task, method, runs, best validation metric, its compression, highest compression near dense
Best = tuple[str, str, int, float, float, float]
Row = Mapping[str, str]


def overview(path: Path) -> Iterator[str | Table]:
    """Yield what the folder's last sweep does or did, the counts of runs.csv, and a table of each method's best."""
    folder, invocation = ResultsFolder(path), latest(path)
    running = folder.is_locked()
    rows = folder.rows
    if not rows and not (running or invocation):
        rows = read(path / "runs.csv")  # raises for a file that is missing or empty
    rows = list({row["key"]: row for row in rows}.values())  # the last row of each run
    yield f"{path.name}: {state(invocation, running)}"
    if invocation:
        yield _progress(invocation, running, datetime.now(UTC))
    if rows:
        statuses = Counter(row["status"] for row in rows)
        yield f"{len(rows)} runs in all: {counted(statuses)}"
        reasons = Counter((row["status"], row["error"]) for row in rows if row["status"] != "ok")
        for (status, reason), count in reasons.most_common(MOST_REASONS):
            yield f"  {count} {f'failed ({status})' if status in FAILED else status}: {reason[:200]}"
        if len(reasons) > MOST_REASONS:
            yield f"  and {len(reasons) - MOST_REASONS} other reasons, in the column error of runs.csv"
        yield board(best(rows, path / "runs.csv"))


def summaries(results: Path) -> Iterator[str]:
    """Yield a line for each sweep in a folder of results; raise UsageError if there is none.

    It is also raised, after the last line, if a folder cannot be read.
    """
    paths = sorted({path.parent for pattern in ("*/runs.csv", "*/invocations") for path in results.glob(pattern)})
    if not paths:
        raise UsageError(f"there are no results in {results}; `sparsefront run` makes some")
    unread = []
    for path in paths:
        folder, invocation = ResultsFolder(path), latest(path)
        try:
            statuses = Counter({row["key"]: row["status"] for row in folder.rows}.values())
            yield f"{path.name}: {counted(statuses) or 'no run yet'}; {state(invocation, folder.is_locked())}"
        except (UsageError, OSError) as error:
            unread.append(path.name)
            yield f"{path.name}: {error}"
    if unread:
        raise UsageError(f"{len(unread)} of {len(paths)} folders cannot be read: {', '.join(unread)}")


def state(invocation: Invocation | None, running: bool) -> str:
    """Say whether a sweep is running, or how the last one ended."""
    if running and invocation and not invocation.end:
        return f"running since {as_written(invocation.start)}, {invocation.workers} at a time on {invocation.device}"
    if running:
        return "a sweep is starting or ending"
    if not invocation:
        return "no sweep is running"
    if not invocation.end:
        return f"killed after {as_written(invocation.updated)}; `sparsefront run` goes on"
    if sum(invocation.statuses.values()) < invocation.to_do:
        return f"stopped at {as_written(invocation.end)}; `sparsefront run` goes on"
    return f"finished at {as_written(invocation.end)}"


def _progress(invocation: Invocation, running: bool, now: datetime) -> str:
    workers, left = 0, None
    if running and not invocation.end:
        workers, left = invocation.workers, invocation.seconds_left
    if left is not None:
        left -= (now - datetime.fromisoformat(invocation.updated)).total_seconds()
    now_done = SweepProgress.count(invocation.statuses, invocation.to_do, workers, left)
    before = invocation.planned - invocation.to_do
    counts = f"{invocation.planned} runs planned: {before} finished before, {now_done.sentence}"
    return f"{counts}; as of {as_written(invocation.updated)}"


def best(rows: Sequence[Row], path: Path) -> list[Best]:
    """Return for each task and method its runs, its best validation metric, and its highest compression near dense.

    Near means within one point of the dense runs' mean accuracy, or of the task's best run if none is dense; other
    metrics are near within 1 %. A value that does not exist is NaN. Metrics are those of single runs, while a report
    averages over seeds.
    """
    points: dict[tuple[str, str], list[tuple[float, float]]] = {}  # the metric, negative if less is better
    lower, others = ({row["task"] for row in rows if is_so(row)} for is_so in (_is_lower, _has_another_metric))
    kinds = Counter((row["task"], row["method"]) for row in rows)
    for row in rows:
        if row["status"] == "ok":
            metric = _number(row, "val_metric" if _has_another_metric(row) else "val_accuracy", path)
            point = -metric if _is_lower(row) else metric, _number(row, "compression", path)
            points.setdefault((row["task"], row["method"]), []).append(point)
    full: dict[str, float] = {}
    for (task, _), found in points.items():
        full[task] = max(full.get(task, -math.inf), max(metric for metric, _ in found))
    full |= {task: mean(m for m, _ in found) for (task, method), found in points.items() if method == "dense"}
    lines = []
    for (task, method), runs in kinds.items():
        own = points.get((task, method), [])
        highest, compression = max(own, default=(math.nan, math.nan))
        there = full.get(task, math.nan)
        least = there - (abs(there) / 100 if task in others else 1)
        near = max((compression for metric, compression in own if metric >= least), default=math.nan)
        lines.append((task, method, runs, -highest if task in lower else highest, compression, near))
    return lines


def _is_lower(row: Row) -> bool:
    return row["better"] == "lower"


def _has_another_metric(row: Row) -> bool:
    return row["metric"] not in ("", "accuracy")


def _number(row: Row, column: str, path: Path) -> float:
    try:
        return float(row[column])
    except ValueError:
        raise UsageError(f"{path} holds {row[column]!r} as {column} of run {row['key']}, which is no number") from None


def board(lines: Sequence[Best]) -> Table:
    """Show the best of each method as a table."""
    table = Table(box=None, pad_edge=False)
    for column in ("task", "method"):
        table.add_column(column, overflow="fold")
    for column in ("runs", "best val", "its CR", "CR near dense"):
        table.add_column(column, justify="right")
    for task, method, runs, metric, compression, near in lines:
        numbers = f"{metric:.2f}", f"{compression:.1f}", f"{near:.1f}"
        table.add_row(
            printable(task), printable(method), str(runs), *("-" if number == "nan" else number for number in numbers)
        )
    return table
