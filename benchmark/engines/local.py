"""The local engine: packs in this process, or in worker processes of one thread each."""

from __future__ import annotations

import atexit
import math
import multiprocessing
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import torch

from benchmark.engines.packs import compute
from benchmark.engines.settings import Pack, Settings
from benchmark.engines.signals import handling, hangup
from benchmark.engines.worker import Worker
from benchmark.engines.worker_process import BEGUN, serve
from benchmark.errors import UsageError
from benchmark.experiments.run import Run
from benchmark.records.schema import Measurement, Status
from benchmark.training.checkpoint import Checkpoint
from benchmark.training.devices import cores, numerics
from benchmark.training.measure import Result

Part = list[tuple[Run, Result]]
PATIENCE = 60  # seconds that stopped training may take to save its checkpoint, all workers together
# Seconds beyond twice its timeout that a run may take for loading, building and evaluation before its worker is killed.
GRACE = 30
STARTING = 300  # seconds that a new worker may take before it begins its first pack


def in_this_process(packs: list[Pack], settings: Settings) -> Iterator[Part]:
    """Compute one pack after the other. After Ctrl-C or SIGTERM, training saves a checkpoint before its next step."""
    with numerics(), closing(Worker(settings, cores())) as worker:
        main = threading.main_thread().ident or 0
        # Training that hangs never looks at `stop`; a signal wakes it.
        last = threading.Timer(PATIENCE, signal.pthread_kill, (main, signal.SIGINT))
        last.daemon = True

        def stop(*_: object) -> None:
            if worker.stop.is_set():  # the second signal ends training at once
                raise KeyboardInterrupt
            worker.stop.set()
            last.start()

        parts = (part for pack in packs for part in compute(pack, worker))
        try:
            while True:
                with handling(stop, signal.SIGINT, signal.SIGTERM, *hangup()):
                    part = next(parts, None)
                if part is None:
                    return
                yield part
                if worker.stop.is_set():
                    raise KeyboardInterrupt
        finally:
            last.cancel()


def _end_of(status: int) -> str:
    """Say how a worker ended that had not finished its pack."""
    if status == -signal.SIGKILL:
        return "worker was killed by SIGKILL, as the system does when its memory runs short"
    if status < 0:
        return f"worker was killed by signal {-status} ({signal.strsignal(-status)})"
    return f"worker died with exit code {status}" if status else "worker was asked to stop by another process"


def in_processes(packs: list[Pack], settings: Settings, workers: int) -> Iterator[Part]:
    """Send each worker process one pack at a time. A process that dies loses its own pack alone and is replaced.

    So is a process that hangs: it is killed when its runs have taken twice the timeout of the settings and GRACE. The
    runs of a pack whose process was killed, as the system does when memory runs short, are trained by halves. A process
    that dies before it begins a pack loses nothing and is not replaced. Raises UsageError when none is left.

    If the device is `cuda` and there are several, a new process gets the one that has the fewest, and its name.
    """
    queue = deque(packs)
    context = multiprocessing.get_context("spawn")
    busy: dict[Connection, tuple[BaseProcess, Pack]] = {}
    idle: list[tuple[Connection, BaseProcess]] = []
    begun: set[Connection] = set()  # workers that have begun a pack
    cuda = range(torch.cuda.device_count()) if settings.device == "cuda" else ()
    due: dict[Connection, float] = {}  # when a worker that has sent nothing since is killed
    devices = [f"cuda:{index}" for index in cuda] or [settings.device]
    slots, notes = workers, list[str]()

    def start() -> tuple[Connection, BaseProcess]:
        ours, theirs = context.Pipe()
        taken = [process.name for _, process in idle] + [process.name for process, _ in busy.values()]
        device = min(devices, key=taken.count)
        arguments = theirs, replace(settings, device=device), max(1, cores() // workers)
        # A daemon could not start processes that read images. Without one, the exit must kill what is left.
        process = context.Process(target=serve, args=arguments, name=device, daemon=False)
        with closing(theirs), handling(signal.SIG_IGN, signal.SIGINT):  # the process inherits it; Ctrl-C is ours
            process.start()
            atexit.register(process.kill)
        return ours, process

    def go_on_with_fewer(reason: str) -> None:
        nonlocal slots
        slots -= 1
        if not slots:
            raise UsageError(
                f"no worker process can be started ({reason}); give fewer --workers, or raise the limits on processes, "
                "open files and memory"
            ) from None
        notes.append(f"a worker process could not be started ({reason}); the sweep goes on with {slots}")

    def feed() -> None:
        while queue and len(busy) < slots:
            try:
                connection, process = idle.pop() if idle else start()
            except OSError as error:
                go_on_with_fewer(error.strerror or str(error))
                continue
            with suppress(OSError):  # the worker died while it was idle
                connection.send(queue[0])
                busy[connection] = (process, queue.popleft())
                due[connection] = allowed(busy[connection][1]) + STARTING

    def allowed(pack: Pack) -> float:
        return time.monotonic() + 2 * settings.timeout * len(pack) + GRACE

    def lost(connection: Connection) -> Part:
        """Return the results of the runs that a dead worker leaves, unless they are to be computed after all."""
        process, pack = busy.pop(connection)
        process.join()
        reason = _end_of(process.exitcode or 0)
        if connection not in begun:
            queue.appendleft(pack)
            go_on_with_fewer(reason)
            return []
        if process.exitcode == -signal.SIGKILL and len(pack) > 1:
            if settings.checkpoints:
                Checkpoint(settings.checkpoints, [run.key for run in pack]).path.unlink(missing_ok=True)
            half = (len(pack) + 1) // 2
            queue.extendleft([pack[half:], pack[:half]])
            notes.append(f"a {reason}; its {len(pack)} runs of {pack[0].method} are trained by halves")
            return []
        return [(run, Result(Measurement(status=Status.ERROR, error=reason))) for run in pack]

    def noted(part: Part) -> Part:
        part[0][1].warnings[:0] = notes
        notes.clear()
        return part

    try:
        feed()
        while busy:
            soonest = min(due[connection] for connection in busy) - time.monotonic()
            ready = wait(list(busy), timeout=None if math.isinf(soonest) else max(soonest, 0))
            for connection in [one for one in busy if one not in ready and due[one] <= time.monotonic()]:
                process, pack = busy.pop(connection)
                process.kill()
                process.join()
                reason = f"not done after {2 * settings.timeout * len(pack) + GRACE:g} s with loading and evaluation"
                yield noted([(run, Result(Measurement(status=Status.TIMEOUT, error=reason))) for run in pack])
            for answering in ready:
                assert isinstance(answering, Connection)
                connection = answering
                process, pack = busy[connection]
                try:
                    part = connection.recv()
                except (EOFError, OSError):
                    part = lost(connection)
                else:
                    due[connection] = allowed(pack)
                    if part == BEGUN:
                        begun.add(connection)
                        continue
                    if part is None:
                        del busy[connection]
                        idle.append((connection, process))
                        continue
                    done = {run for run, _ in part}
                    busy[connection] = (process, [run for run in pack if run not in done])
                if part:
                    yield noted(part)
            feed()
    finally:
        for connection, _ in idle:
            with suppress(OSError):
                connection.send(None)  # an empty message ends the worker
        for connection, (process, _) in busy.items():
            process.terminate()
            connection.close()  # ends a worker that is between two packs and waits for the next
        until = time.monotonic() + PATIENCE
        for process in [process for _, process in idle] + [process for process, _ in busy.values()]:
            process.join(timeout=max(until - time.monotonic(), 0))
            process.kill()
            process.join()
