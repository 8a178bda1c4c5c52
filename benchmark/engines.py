"""Where runs are computed: in this process, or in local processes of one thread each."""

from __future__ import annotations

import functools
import multiprocessing
import signal
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

from benchmark import data
from benchmark.experiments import Run
from benchmark.measure import Result
from benchmark.tasks import get_task
from benchmark.train import train
from methods.registry import load_plugin, parse


@dataclass(frozen=True)
class Settings:
    """What every run of a sweep shares and what changes no result."""

    device: str
    data_folder: Path
    plugins: tuple[Path, ...] = ()


def run_all(runs: Iterable[Run], settings: Settings, workers: int) -> Iterator[tuple[Run, Result]]:
    """Compute runs and yield each with its result, as they finish."""
    if workers > 1:
        yield from _local_processes(deque(runs), settings, workers)
    else:
        threads = torch.get_num_threads()
        _set_up(settings)
        try:
            yield from ((run, execute(run, settings)) for run in runs)
        finally:
            torch.set_num_threads(threads)
            torch.set_flush_denormal(False)


def execute(run: Run, settings: Settings) -> Result:
    """One run; what it raises becomes a result with status `error`."""
    try:
        task, method = get_task(run.task), parse(run.method)
        loaded = load_data(run.task, run.made_data, settings)
        return train(task, method, [run.value], run.seed, run.epochs, run.learning_rate, loaded, run.precision)[0]
    except (Exception, SystemExit) as error:
        failed: dict[str, object] = {"status": "error", "error": f"{type(error).__name__}: {error}"}
        return Result(failed, traceback=traceback.format_exc())


@functools.lru_cache(maxsize=2)
def load_data(task_name: str, made_data: bool, settings: Settings) -> data.Data:
    """A task's data on the device, kept for the next run."""
    task = get_task(task_name)
    loaded = data.made(task.shape, task.classes) if made_data else task.data(settings.data_folder)
    return loaded.to(settings.device)


def _set_up(settings: Settings) -> None:
    for plugin in settings.plugins:
        load_plugin(plugin)
    torch.set_num_threads(1)  # one thread a worker: on small networks more threads lose
    torch.set_flush_denormal(True)  # products of factors near zero are denormal, which slows a CPU two-fold


def _worker(connection: Connection, settings: Settings) -> None:
    _set_up(settings)
    try:
        while run := connection.recv():
            connection.send(execute(run, settings))
    except (EOFError, OSError):  # the parent is gone
        pass


def _local_processes(queue: deque[Run], settings: Settings, workers: int) -> Iterator[tuple[Run, Result]]:
    """Feed one run at a time to each worker; a worker that dies takes its own run along and is replaced."""
    context = multiprocessing.get_context("spawn")
    busy: dict[Connection, tuple[BaseProcess, Run]] = {}
    idle: list[tuple[Connection, BaseProcess]] = []

    def start() -> tuple[Connection, BaseProcess]:
        ours, theirs = context.Pipe()
        process = context.Process(target=_worker, args=(theirs, settings), daemon=True)
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
                process, run = busy.pop(connection)
                try:
                    result = connection.recv()
                    idle.append((connection, process))
                except (EOFError, OSError):
                    process.join()
                    result = Result({"status": "error", "error": f"worker died with exit code {process.exitcode}"})
                yield run, result
            feed()
    finally:
        for connection, _ in idle:
            with suppress(OSError):
                connection.send(None)  # nothing left to do: it ends by itself and cleans up
        for _, process in idle:
            process.join(timeout=10)
        for process in [process for process, _ in busy.values()] + [process for _, process in idle]:
            process.terminate()
            process.join()
