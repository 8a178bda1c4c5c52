"""The options that depend on the machine: the device, its precision, and how many packs it computes at a time."""

from __future__ import annotations

from dataclasses import replace

from benchmark.errors import UsageError
from benchmark.experiments.experiment import Experiment
from benchmark.experiments.run import Run
from benchmark.training.devices import accelerators, best_precision, check_device, cores


def runs_on(device: str, grid: Experiment, engine: str = "local") -> list[Run]:
    """Expand the grid, check that the device exists, and replace the precision `auto` by the device's best.

    The grid comes first, so that its faults are reported before torch is imported. The devices of a cluster are not
    known here.
    """
    runs = grid.runs()
    if engine == "ray" and device not in ("cpu", "cuda"):
        raise UsageError(f"with --engine ray, which assigns the GPUs, --device is cpu or cuda, not {device}")
    if engine == "local" or grid.precision == "auto":  # `auto` asks a device of this machine
        check_device(device)
    return replace(grid, precision=best_precision(device)).runs() if grid.precision == "auto" else runs


def workers_on(workers: int | None, device: str, engine: str = "local") -> int | None:
    """Return how many packs are computed at a time; None stands for as many as a cluster has room for."""
    if workers is not None and workers < 1:
        raise UsageError(f"--workers takes a whole number >= 1, not {workers}")
    if workers is None and engine == "local":
        return cores() if device == "cpu" else accelerators(device)
    return workers
