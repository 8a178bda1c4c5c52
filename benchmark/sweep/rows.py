"""From a finished run to what stands of it in the folder's CSVs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from benchmark.experiments.run import Run
from benchmark.records.schema import COLUMNS, CURVE_COLUMNS, CUT_COLUMNS, LAYER_COLUMNS, Row
from benchmark.records.table import append
from benchmark.tasks.registry import get_task
from benchmark.training.checkpoint import remove
from benchmark.training.measure import Result
from methods.core.registry import parse
from methods.core.registry import write as write_method


def make_row(name: str, run: Run, result: Result, device: str, version: str, commit: str) -> Row:
    """What was asked and what was measured, as one row."""
    task, method = get_task(run.task), parse(run.method)
    declared = {
        "key": run.key,
        "experiment": name,
        "task": run.task,
        "method": run.method,
        "depth": getattr(method, "depth", None),
        "options": write_method(method, defaults=True).partition("[")[2].removesuffix("]"),
        "knob": method.knob,
        "value": run.value,
        "penalty": None,
        "seed": run.seed,
        "learning_rate": run.learning_rate,
        "rest_rate": task.rest_rate(run.learning_rate),
        "epochs": run.epochs,
        "steps": None,
        "batch_size": task.batch_size,
        "pack": 1,
        "device": device,
        "precision": run.precision,
        "version": version,
        "commit": commit,
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Row(**(declared | result.measured))  # type: ignore[arg-type]


def write(folder: Path, rows: list[Row], results: list[Result]) -> None:
    """Curves, layers and cuts first: a row in `runs.csv` says its run is complete. No checkpoint is needed then."""
    pairs = list(zip([row.key for row in rows], results, strict=True))
    curves = [(key, epoch, metric, f"{x:.6g}") for key, result in pairs for epoch, metric, x in result.curves]
    layers = [(key, *layer) for key, result in pairs for layer in result.layers]
    cuts = [(key, *cut) for key, result in pairs for cut in result.cuts]
    cells = [[getattr(row, column) for column in COLUMNS] for row in rows]
    append(folder / "curves.csv", CURVE_COLUMNS, curves)
    append(folder / "layers.csv", LAYER_COLUMNS, layers)
    if cuts:
        append(folder / "cuts.csv", CUT_COLUMNS, cuts)
    append(folder / "runs.csv", COLUMNS, cells)
    for path in (result.checkpoint for result in results if result.checkpoint):
        remove(path)


def tell(row: Row) -> str:
    """One line on a finished run."""
    start = f"{row.method} {row.knob} {row.value:g} seed {row.seed}:"
    if row.status != "ok":
        return f"{start} {row.status}, {row.error}"
    return f"{start} CR {row.compression:.1f}, {row.test_accuracy:.2f} %"
