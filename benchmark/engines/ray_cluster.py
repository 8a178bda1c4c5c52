"""A Ray cluster as the engine: a pack is a task, which another node goes on with when its own is lost."""

from __future__ import annotations

import logging
import signal
import socket
import warnings
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from benchmark.data.split import Data
from benchmark.data.streamed import Images
from benchmark.engines.packs import compute, load_data, set_up
from benchmark.engines.settings import Pack, Settings
from benchmark.errors import UsageError
from benchmark.experiments.run import Run
from benchmark.records.schema import Measurement, Status
from benchmark.training.checkpoint import STOP
from benchmark.training.measure import Result

AHEAD = 2  # tasks handed out for each that runs: a worker with another one waiting is not given back
NODES = 3  # that a pack may lose before it counts as the one that kills them


def connect(settings: Settings, workers: int | None) -> int:
    """Join the cluster at `settings.address`, or start one here; how many packs it is to compute at a time.

    Raises UsageError where there is no Ray or no cluster.
    """
    try:
        import ray
    except ModuleNotFoundError:
        raise UsageError("--engine ray needs Ray: pip install ray") from None
    local = settings.address is None
    if settings.address not in (None, "auto"):
        _check_port(settings.address)
    try:
        ray.init(
            settings.address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            include_dashboard=False if local else None,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise UsageError(f"Ray does not start ({error}); `ray status` tells which clusters are there") from None
    kind = "GPU" if settings.device == "cuda" else "CPU"
    return workers or max(1, int(ray.cluster_resources().get(kind, 0)))


def on_ray(packs: list[Pack], settings: Settings, workers: int) -> Iterator[list[tuple[Run, Result]]]:
    """Compute packs on the cluster that `connect` joined, at most `workers` at a time.

    Each takes its share of the cluster: of its CPUs, one at least, and of its GPUs where the device is `cuda`, one at
    most. Checkpoints have to lie in a folder that all nodes share.
    """
    import ray

    there = ray.cluster_resources()
    gpus = there.get("GPU", 0) if settings.device == "cuda" else 0
    cpus = max(1, int(there.get("CPU", 1) / workers)) if not gpus else 1
    remote = ray.remote(num_cpus=cpus, num_gpus=min(1.0, gpus / workers), max_retries=NODES)(_task)
    kept: dict[tuple[str, bool], Any] = {}
    queue, running = deque(packs), dict[Any, Pack]()
    try:
        while queue or running:
            while queue and len(running) < AHEAD * workers:
                pack = queue.popleft()
                name = pack[0].task, pack[0].synthetic
                if name not in kept:  # once into the cluster's shared memory, from where each node fetches it once
                    kept[name] = ray.put(_arrays(load_data(*name, replace(settings, device="cpu"))))
                running[remote.remote(pack, settings, kept[name], cpus)] = pack
            (done, *_), _ = ray.wait(list(running))
            pack = running.pop(done)
            try:
                yield from ray.get(done)
            except ray.exceptions.RayError as error:
                reason = f"{type(error).__name__}: {error}".partition("\n")[0]
                yield [(run, Result(Measurement(status=Status.ERROR, error=reason))) for run in pack]
    finally:
        for task in running:
            ray.cancel(task)
        ray.wait(list(running), num_returns=len(running), timeout=30) if running else None
        ray.shutdown()


def _check_port(address: str) -> None:
    """Raise UsageError unless something answers at HOST:PORT; Ray itself tries for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        raise UsageError(f"no Ray cluster answers at {address} ({error}); `ray start` starts one") from None


def _task(pack: Pack, settings: Settings, arrays: tuple[Any, ...], cpus: int) -> list[list[tuple[Run, Result]]]:
    """What a node does for a pack; when it is cancelled, it saves where it stands."""
    set_up(settings.plugins, cpus)
    STOP.clear()
    signal.signal(signal.SIGINT, lambda *_: STOP.set())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the arrays are not writable, nor is anything written to them
        parts: list[Any] = [part if isinstance(part, Images) else torch.from_numpy(part) for part in arrays]
    load_data(pack[0].task, pack[0].synthetic, settings, Data(*zip(parts[::2], parts[1::2], strict=True)))
    return list(compute(pack, settings))


def _arrays(loaded: Data) -> tuple[Any, ...]:
    """What the cluster shares of a data set; of images that are read from files, their paths."""
    parts = (part for split in (loaded.train, loaded.val, loaded.test) for part in split)
    return tuple(part if isinstance(part, Images) else part.numpy() for part in parts)
