"""This machine's engine: packs in this process, or in processes of one thread each."""

from __future__ import annotations

import atexit
import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import torch

from benchmark.engines.packs import compute, set_up
from benchmark.engines.settings import Pack, Settings
from benchmark.experiments.run import Run
from benchmark.records.schema import Measurement, Status
from benchmark.training.checkpoint import STOP
from benchmark.training.devices import cores
from benchmark.training.measure import Result

PATIENCE = 60  # seconds that a worker which is told to stop may take to save where it is


def in_this_process(packs: list[Pack], settings: Settings) -> Iterator[list[tuple[Run, Result]]]:
    """One pack after the other. Ctrl-C and SIGTERM let the step in progress end and save where training stands."""
    threads = torch.get_num_threads()
    set_up(settings.plugins, cores())
    parts = (part for pack in packs for part in compute(pack, settings))
    try:
        while part := _stoppable(parts):
            yield part
            if STOP.is_set():
                raise KeyboardInterrupt
    finally:
        STOP.clear()
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)


def _stoppable(parts: Iterator[list[tuple[Run, Result]]]) -> list[tuple[Run, Result]] | None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, _stop) for number in numbers]
    try:
        return next(parts, None)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _stop(*_: object) -> None:
    """Asked once, stop at the next step; asked again, at once."""
    if STOP.is_set():
        raise KeyboardInterrupt
    STOP.set()


def _worker(connection: Connection, settings: Settings, share: int) -> None:
    """Compute packs until there are none; where the parent is gone or says so, save and end."""
    set_up(settings.plugins, share)
    signal.signal(signal.SIGTERM, lambda *_: STOP.set())
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while pack := connection.recv():
            for part in compute(pack, settings):
                connection.send(part)
            connection.send(None)


def _stop_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    STOP.set()


def in_processes(packs: list[Pack], settings: Settings, workers: int) -> Iterator[list[tuple[Run, Result]]]:
    """Feed one pack at a time to each worker; a worker that dies takes its own pack along and is replaced.

    With `cuda` and several of them there, a worker gets the device that has fewest; it is named after it.
    """
    queue = deque(packs)
    context = multiprocessing.get_context("spawn")
    busy: dict[Connection, tuple[BaseProcess, Pack]] = {}
    idle: list[tuple[Connection, BaseProcess]] = []
    cuda = range(torch.cuda.device_count()) if settings.device == "cuda" else ()
    devices = [f"cuda:{index}" for index in cuda] or [settings.device]

    def start() -> tuple[Connection, BaseProcess]:
        ours, theirs = context.Pipe()
        taken = [process.name for _, process in idle] + [process.name for process, _ in busy.values()]
        own = replace(settings, device=min(devices, key=taken.count))
        # No daemon, which could have no processes that read images; but none is waited for at the end either.
        arguments = theirs, own, max(1, cores() // workers)
        process = context.Process(target=_worker, args=arguments, name=own.device, daemon=False)
        atexit.register(process.kill)
        # Ctrl-C is for the parent to handle; a process inherits that it ignores a signal.
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        process.start()
        signal.signal(signal.SIGINT, handler)
        theirs.close()
        return ours, process

    def feed() -> None:
        while queue and len(busy) < workers:
            connection, process = idle.pop() if idle else start()
            with suppress(OSError):  # a worker that died while idle is left alone
                connection.send(queue[0])
                busy[connection] = (process, queue.popleft())

    try:
        feed()
        while busy:
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                process, pack = busy[connection]
                try:
                    part = connection.recv()
                except (EOFError, OSError):
                    process.join()
                    reason = f"worker died with exit code {process.exitcode}"
                    part = [(run, Result(Measurement(status=Status.ERROR, error=reason))) for run in pack]
                    del busy[connection]
                else:
                    if part is None:
                        del busy[connection]
                        idle.append((connection, process))
                        continue
                    done = {run for run, _ in part}
                    busy[connection] = (process, [run for run in pack if run not in done])
                yield part
            feed()
    finally:
        for connection, _ in idle:
            with suppress(OSError):
                connection.send(None)  # nothing left to do: it ends by itself and cleans up
        for connection, (process, _) in busy.items():
            process.terminate()
            connection.close()  # for one that is between two packs and waits for the next
        for process in [process for _, process in idle] + [process for process, _ in busy.values()]:
            process.join(timeout=PATIENCE)
            process.kill()
            process.join()
