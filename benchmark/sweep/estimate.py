"""How long runs may take, before they are computed."""

from __future__ import annotations

import statistics
from pathlib import Path

import torch

from benchmark.data.synthetic import made, made_examples
from benchmark.experiments.run import Run
from benchmark.records.table import read
from benchmark.tasks.registry import get_task
from benchmark.training.loop import train
from methods.core.registry import parse


def estimate(runs: list[Run], folder: Path, device: str) -> float:
    """Seconds that the runs take one after the other on the device, without loading and evaluation.

    A method's median step in the folder's rows tells, where there is one; otherwise an epoch on made data is timed.
    """
    path = folder / "runs.csv"
    steps: dict[tuple[str, str], list[float]] = {}
    for row in read(path) if path.exists() else ():
        if row["step_ms"] and row["device"] == torch.device(device).type:
            steps.setdefault((row["task"], row["method"]), []).append(float(row["step_ms"]))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    seconds = 0.0
    for run in runs:
        task = get_task(run.task)
        if (run.task, run.method) not in steps:
            steps[run.task, run.method] = [_step_ms(run, device)]
        examples = made_examples(task.shape) if run.made_data else task.examples
        per_epoch = max(examples // task.batch_size, 1)
        epochs = run.epochs * sum(parse(run.method).phases)
        seconds += statistics.median(steps[run.task, run.method]) * per_epoch * epochs / 1000
    torch.set_num_threads(threads)
    return seconds


def _step_ms(run: Run, device: str) -> float:
    task = get_task(run.task)
    data = made(task.shape, task.classes).to(device)
    batch_size = min(task.batch_size, len(data.train[1])) if run.made_data else task.batch_size
    for _ in range(2):  # the first time warms up
        (result,) = train(task, parse(run.method), [run.value], [run.seed], 1, run.learning_rate, data, run.precision)
    assert result.measured.step_ms is not None and result.measured.batch_size is not None
    return result.measured.step_ms * batch_size / result.measured.batch_size
