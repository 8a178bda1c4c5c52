"""From a finished run to what stands of it in the folder's CSVs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from benchmark.experiments.run import Run
from benchmark.records.schema import Asked, Row
from benchmark.tasks.registry import get_task
from benchmark.training.measure import Result
from methods.core.registry import parse, write_options


def make_row(name: str, run: Run, result: Result, device: str, version: str, commit: str) -> Row:
    """Join what was asked of a run and what was measured to one row."""
    measured = asdict(result.measured)
    measured["batch_size"] = measured["batch_size"] or get_task(run.task).batch_size
    measured["device"] = measured["device"] or device
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    return Row(**asdict(asked(name, run)), **measured, version=version, commit=commit, finished_at=finished)


def asked(name: str, run: Run) -> Asked:
    """The part of a row that is known before training."""
    task, method = get_task(run.task), parse(run.method)
    return Asked(
        key=run.key,
        experiment=name,
        task=run.task,
        method=run.method,
        depth=getattr(method, "depth", None),
        options=write_options(method),
        knob=method.knob,
        value=run.value,
        seed=run.seed,
        learning_rate=run.learning_rate,
        other_learning_rate=task.other_lr(run.learning_rate),
        epochs=run.epochs,
        precision=run.precision,
    )


def tell(row: Row) -> str:
    """One line on a finished run."""
    start = f"{row.method} {row.knob} {row.value:g} seed {row.seed}:"
    if row.status != "ok":
        return f"{start} {row.status}, {row.error}"
    return f"{start} CR {row.compression:.1f}, {row.test_accuracy:.2f} %"
