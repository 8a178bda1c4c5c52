"""The choice of an engine for a sweep."""

from __future__ import annotations

import math
from collections.abc import Iterator

from benchmark.engines.local import in_processes, in_this_process
from benchmark.engines.ray_cluster import connect, on_ray
from benchmark.engines.settings import Pack, Settings
from benchmark.experiments.run import Run
from benchmark.training.measure import Result


def places(settings: Settings, workers: int | None) -> int:
    """Return how many packs are computed at a time. For None, a cluster computes as many as it has room for.

    Raises UsageError if no cluster answers.
    """
    return workers or 1 if settings.engine == "local" else connect(settings, workers)


def run_all(packs: list[Pack], settings: Settings, workers: int) -> Iterator[list[tuple[Run, Result]]]:
    """Compute packs in their order and yield runs with their results as they finish; runs of a pack come together."""
    if settings.engine == "ray":
        yield from on_ray(packs, settings, workers)
    elif (workers > 1 and len(packs) > 1) or settings.timeout < math.inf or settings.apart:
        # Only a process can be ended when it hangs.
        yield from in_processes(packs, settings, workers)
    else:
        yield from in_this_process(packs, settings)
