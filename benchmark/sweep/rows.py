"""The row of runs.csv for a finished run, and the missing columns of rows of older versions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from benchmark.data.augmentation import Augmentation
from benchmark.errors import UsageError
from benchmark.experiments.run import HASHED, Run, method_version, run_of
from benchmark.records.schema import Asked, Row, Status
from benchmark.records.table import cell
from benchmark.tasks.registry import get_task, read_task
from methods.core.registry import MethodError, label, parse, written_options
from methods.core.spec import options_of, print_form, print_options

if TYPE_CHECKING:
    from benchmark.training.measure import Result


def make_row(name: str, run: Run, result: Result, device: str, version: str, commit: str) -> Row:
    """Join what was asked of a run and what was measured to one row."""
    measured = asdict(result.measured)
    measured["batch_size"] = measured["batch_size"] or get_task(run.task).batch_size
    measured["device"] = measured["device"] or device
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    return Row(**asdict(asked(name, run)), **measured, version=version, commit=commit, finished_at=finished)


def asked(name: str, run: Run) -> Asked:
    """Return the part of a row that is known before training, for a run of the experiment `name`."""
    task, method = get_task(run.task), parse(run.method)
    base_task, options = read_task(run.task)
    return Asked(
        key=run.key,
        experiment=name,
        task=run.task,
        base_task=base_task,
        width=options.get("width"),
        dataset=task.dataset,
        synthetic=run.synthetic,
        method=run.method,
        label=label(method),
        family=method.family,
        depth=getattr(method, "depth", None),
        options=written_options(method),
        knob=method.knob,
        value=run.value,
        threshold=method.threshold,
        seed=run.seed,
        learning_rate=run.learning_rate,
        other_learning_rate=task.other_lr(run.learning_rate),
        epochs=run.epochs,
        budgets=float(sum(method.phases_at(run.value))),
        precision=run.precision,
        optimizer=optimizer_column(task.optimizer),
        momentum=getattr(task.optimizer, "momentum", None),
        weight_decay=task.weight_decay,
        warmup=task.warmup,
        augmentation=augmentation_column(task.augmentation),
        metric=task.objective.metric,
        better=task.objective.better,
        task_version=task.version,
        method_version=method_version(method, task),
    )


def completed(row: Mapping[str, str]) -> dict[str, str]:
    """Fill the columns that the older version which wrote a row did not have.

    If the key proves that today's task and method are those of the row, every column of `Asked` is known. Otherwise
    only the columns that follow from the written forms are filled.
    """
    try:
        run = run_of(row)
        known = {name: cell(value) for name, value in vars(asked(row["experiment"], run)).items()}
    except (UsageError, MethodError):  # for example, its method is of a plugin that is not loaded
        return dict(row)
    if known["key"] != row["key"]:
        known = {name: row[name] or known[name] for name in ("base_task", "width", "label", "family")}
    if row["nonzeros"] and not row["total_compression"]:
        left = int(row["parameters"]) - int(row["prunable"]) + int(row["nonzeros"])
        known["total_compression"] = cell(int(row["parameters"]) / left if left else math.inf)
    return dict(row) | known


def optimizer_column(optimizer: object) -> str:
    """Return an optimizer's name and those options that differ from their default, as in `sgd[nesterov=true]`.

    Momentum is left out: it has its own column.
    """
    name = HASHED[type(optimizer)][0] if type(optimizer) in HASHED else type(optimizer).__name__
    if not is_dataclass(optimizer):
        return name.lower()
    options = [option for option in options_of(type(optimizer)) if option.name != "momentum"]
    return print_form(name.lower(), options, vars(optimizer))


def augmentation_column(augmentation: Augmentation | None) -> str:
    """Return an augmentation's options, as in `shift=4,flip=true,cutout=0`, or nothing if there is none."""
    return print_options(options_of(type(augmentation)), vars(augmentation)) if augmentation else ""


def told_apart(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return the fields that a line needs besides method, value and seed so that no two runs have the same."""
    fields = ["method", "value", "seed"]
    count = len({tuple(getattr(run, name) for name in fields) for run in runs})
    for field in ("task", "epochs", "learning_rate"):
        if count < len(runs):
            more = len({tuple(getattr(run, name) for name in (*fields, field)) for run in runs})
            fields, count = ([*fields, field], more) if more > count else (fields, count)
    return tuple(fields[3:])


def tell(row: Row, fields: Sequence[str] = ()) -> str:
    """Return one line on a finished run; `fields` are those of `told_apart`."""
    knob = "" if row.knob == "none" else f" {row.knob} {row.value:g}"
    task = f" on {row.task}" if "task" in fields else ""
    rate = f" at learning rate {row.learning_rate:g}" if "learning_rate" in fields else ""
    epochs = f" for {row.epochs} epochs" if "epochs" in fields else ""
    start = f"{row.method}{task}{knob}{rate}{epochs} seed {row.seed}:"
    if row.status != Status.OK:
        return f"{start} {row.status}, {row.error}"
    warned = f" ({row.warning})" if row.warning else ""
    reached = f"{row.test_metric:.4g} {row.metric}" if row.metric != "accuracy" else f"{row.test_accuracy:.2f} %"
    return f"{start} CR {row.compression:.1f}, test {reached}{warned}"
