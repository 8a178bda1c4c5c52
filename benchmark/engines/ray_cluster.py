"""The Ray engine: each pack is a task of a cluster, and another node continues it if its node is lost."""

from __future__ import annotations

import functools
import logging
import signal
import socket
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

from benchmark.data.split import Data
from benchmark.engines.packs import compute
from benchmark.engines.settings import Pack, Settings
from benchmark.engines.worker import Worker, task_data
from benchmark.errors import UsageError, error_text
from benchmark.experiments.run import Run
from benchmark.records.schema import Measurement, Status
from benchmark.training.devices import numerics
from benchmark.training.measure import Result

AHEAD = 2  # submitted tasks for each running one, since Ray ends a worker process that no task waits for
NODES = 3  # nodes that a pack may lose before its runs count as failed


def connect(settings: Settings, workers: int | None) -> int:
    """Join the cluster at `settings.address`, or start one here; return how many packs it computes at a time.

    Raises UsageError if Ray is not installed or no cluster answers.
    """
    try:
        import ray
    except ModuleNotFoundError:
        raise UsageError("--engine ray needs Ray: pip install ray") from None
    local = settings.address is None
    if settings.address not in (None, "auto"):
        _check_port(settings.address)
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            settings.address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            include_dashboard=False if local else None,
        )
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)  # Ray's own handler would end this process and save nothing
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise UsageError(f"Ray does not start ({error}); `ray status` tells which clusters are there") from None
    kind = "GPU" if settings.device == "cuda" else "CPU"
    return workers or max(1, int(ray.cluster_resources().get(kind, 0)))


def on_ray(packs: list[Pack], settings: Settings, workers: int) -> Iterator[list[tuple[Run, Result]]]:
    """Compute packs on the cluster that `connect` joined, at most `workers` at a time.

    Each pack gets an equal share of the cluster's CPUs, at least one, and, on `cuda`, of its GPUs, at most one.
    Checkpoints must be in a folder that all nodes share.
    """
    import ray

    there = ray.cluster_resources()
    gpus = there.get("GPU", 0) if settings.device == "cuda" else 0
    cpus = max(1, int(there.get("CPU", 1) / workers)) if not gpus else 1
    remote = ray.remote(num_cpus=cpus, num_gpus=min(1.0, gpus / workers), max_retries=NODES)(_task)
    shared: dict[tuple[str, bool], Any] = {}
    queue, running = deque(packs), dict[Any, Pack]()
    try:
        while queue or running:
            while queue and len(running) < AHEAD * workers:
                pack = queue.popleft()
                name = pack[0].task, pack[0].synthetic
                if name not in shared:  # each node fetches it once from the cluster's shared memory
                    shared[name] = ray.put(_data_or_none(*name, settings))
                running[remote.remote(pack, settings, shared[name], cpus)] = pack
            (done, *_), _ = ray.wait(list(running))
            pack = running.pop(done)
            try:
                yield from ray.get(done)
            except ray.exceptions.RayError as error:
                reason = error_text(error)
                yield [(run, Result(Measurement(status=Status.ERROR, error=reason))) for run in pack]
    finally:
        for task in running:
            ray.cancel(task)
        ray.wait(list(running), num_returns=len(running), timeout=30) if running else None
        ray.shutdown()


def _data_or_none(task: str, synthetic: bool, settings: Settings) -> Data | None:
    """Return a task's data, or None if its loader has a fault, which its runs meet again and report in their rows."""
    try:
        return task_data(task, synthetic, settings.data_folder)
    except (UsageError, KeyboardInterrupt):
        raise
    except BaseException:
        return None


def _check_port(address: str) -> None:
    """Raise UsageError unless something answers at HOST:PORT. Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        raise UsageError(f"no Ray cluster answers at {address} ({error}); `ray start` starts one") from None


@functools.lru_cache(maxsize=1)
def _worker(settings: Settings, cpus: int) -> Worker:
    """Return the worker of this process, which Ray uses for many tasks; its data stay on the device between them."""
    return Worker(settings, cpus)


def _task(pack: Pack, settings: Settings, data: Data | None, cpus: int) -> list[list[tuple[Run, Result]]]:
    """Compute a pack on a node. When the task is cancelled, training saves a checkpoint and ends."""
    worker = _worker(settings, cpus)
    worker.stop.clear()
    signal.signal(signal.SIGINT, lambda *_: worker.stop.set())
    with numerics():
        if data is not None:
            worker.data(pack[0].task, pack[0].synthetic, data)
        return list(compute(pack, worker))
