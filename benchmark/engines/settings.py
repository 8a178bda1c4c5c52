"""The settings that all runs of a sweep share, and the type of a pack."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from benchmark.experiments.run import Run

Pack = list[Run]  # runs that differ in value, seed and learning rate alone, trained together


@dataclass(frozen=True)
class Settings:
    """Settings of a sweep that change no result."""

    device: str
    data_folder: Path
    plugins: tuple[Path, ...] = ()
    checkpoints: Path | None = None  # folder of checkpoints; None: an interrupted run starts again
    timeout: float = math.inf  # seconds of training that a run may take
    apart: bool = False  # one worker, too, is a process of its own, whose end is a row and not that of the sweep
    engine: str = "local"  # or "ray"
    address: str | None = None  # address of the Ray cluster; None: a cluster is started on this machine
    keep_networks: bool = False  # results have the final networks
    pack: int | None = None  # most runs in a pack; None: one on a CPU, on CUDA as many as fit into memory
