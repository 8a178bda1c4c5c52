"""Where packs of runs are computed: in this process, in local processes, or on a Ray cluster."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmark.experiments import Run
from benchmark.measure import Result

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


def places(settings: Settings, workers: int | None) -> int:
    """How many packs are computed at a time; None is for a cluster, as many as it has room for.

    Raises UsageError where there is no cluster.
    """
    if settings.engine == "local":
        return workers or 1
    from benchmark.engines.on_ray import connect

    return connect(settings, workers)


def run_all(runs: list[Run], settings: Settings, workers: int) -> Iterator[list[tuple[Run, Result]]]:
    """Compute runs and yield them with their results as they finish, those that were trained together at once."""
    from benchmark.engines.local import in_processes, in_this_process
    from benchmark.engines.packs import make_packs

    packs = make_packs(runs, settings, workers)
    if settings.engine == "ray":
        from benchmark.engines.on_ray import on_ray

        yield from on_ray(packs, settings, workers)
    elif workers > 1 and len(packs) > 1:
        yield from in_processes(packs, settings, workers)
    else:
        yield from in_this_process(packs, settings)
