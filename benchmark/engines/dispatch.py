"""Choose an engine and compute packs on it."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.engines.settings import Settings
from benchmark.experiments.run import Run
from benchmark.training.measure import Result


def places(settings: Settings, workers: int | None) -> int:
    """How many packs are computed at a time; None is for a cluster, as many as it has room for.

    Raises UsageError where there is no cluster.
    """
    if settings.engine == "local":
        return workers or 1
    from benchmark.engines.ray_cluster import connect

    return connect(settings, workers)


def run_all(runs: list[Run], settings: Settings, workers: int) -> Iterator[list[tuple[Run, Result]]]:
    """Compute runs and yield them with their results as they finish, those that were trained together at once."""
    from benchmark.engines.local import in_processes, in_this_process
    from benchmark.engines.packs import make_packs

    packs = make_packs(runs, settings, workers)
    if settings.engine == "ray":
        from benchmark.engines.ray_cluster import on_ray

        yield from on_ray(packs, settings, workers)
    elif workers > 1 and len(packs) > 1:
        yield from in_processes(packs, settings, workers)
    else:
        yield from in_this_process(packs, settings)
