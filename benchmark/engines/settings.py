"""The settings that all runs of a sweep share, and packs of runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from benchmark.experiments.run import Run

Pack = list[Run]  # runs that differ in value and seed alone, trained together


@dataclass(frozen=True)
class Settings:
    """What every run of a sweep shares and what changes no result."""

    device: str
    data_folder: Path
    plugins: tuple[Path, ...] = ()
    checkpoints: Path | None = None  # their folder; None: a run that is cut short starts anew
    timeout: float = math.inf  # seconds of training that a run may take
    engine: str = "local"  # or "ray"
    address: str | None = None  # of the Ray cluster; None: one is started on this machine
    pack: int | None = None  # runs in a pack at most; None: one on a CPU, what fits into an accelerator's memory there
