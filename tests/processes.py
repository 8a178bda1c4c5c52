"""Commands in processes of their own, which tests stop, and a method whose training waits until it is stopped.

The processes fork from a server that has imported torch, which takes seconds. `tests/project/test_console.py` and
`tests/benchmark/cli/test_cli.py` start the command and its workers as users do. A command here sees no terminal.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from benchmark.cli import commands

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["tests.processes", "benchmark.sweep.sweep", "torch._dynamo", "plots.report"])


def _command(arguments: tuple[str, ...], output: Path, folder: Path) -> None:
    """Run the command line in this process, which leads a new session as that of a terminal does."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the server may ignore it
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup ignores it
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.chdir(folder)
    threading.Thread(target=_end_with_the_tests, daemon=True).start()
    sys.argv = ["sparsefront", *arguments]
    try:
        commands.main()
    finally:
        atexit._run_exitfuncs()  # multiprocessing ends a forked process without them


def _end_with_the_tests() -> None:
    tests = multiprocessing.parent_process()
    assert tests is not None
    tests.join()
    os.killpg(0, signal.SIGKILL)  # a run that waits would wait forever


@contextmanager
def started(*arguments: str, output: Path, folder: Path | None = None) -> Iterator[ForkServerProcess]:
    """Start the command line in a process; its output is appended to a file, and the block's end kills all of it."""
    process = FORKED.Process(target=_command, args=(arguments, output, folder or Path.cwd()))
    process.start()
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(number_of(process), signal.SIGKILL)
        process.join()


def number_of(process: ForkServerProcess) -> int:
    """Return the process's number, which is also that of the group of its workers."""
    assert process.pid is not None
    return process.pid


def ended(*arguments: str, output: Path, folder: Path | None = None) -> tuple[int | None, str]:
    """Run the command line in a process; return its exit status and what it printed."""
    with started(*arguments, output=output, folder=folder) as process:
        process.join()
    return process.exitcode, output.read_text()


def wait_for(state: Callable[[], object], process: ForkServerProcess) -> None:
    """Wait until a state of files is reached; fail if the process ends before."""
    while not state():
        assert process.is_alive(), f"the command ended with {process.exitcode}"
        time.sleep(0.01)


STOPPED = '''
import time
from pathlib import Path

from benchmark.engines.worker import Worker

WORKERS = []
data = Worker.data


def noted(self, *arguments):
    WORKERS.append(self)
    return data(self, *arguments)


Worker.data = noted


def stopped():
    """Tell whether this process was asked to stop."""
    return any(worker.stop.is_set() for worker in WORKERS)
'''

WAITING = (
    STOPPED
    + '''

from dataclasses import dataclass

from methods import register
from methods.random import Random


@register("waiting", knob="density")
@dataclass
class Waiting(Random):
    """Train, and wait in the given step or a later one until the sweep is stopped."""

    steps = 0
    state_names = ("steps",)

    def update(self, lr):
        super().update(lr)
        self.steps += 1
        value = round(self.value.item(), 6)
        begun = Path(__file__).with_name(f"{value}.begun")
        if value in VALUES and self.steps >= STEP and not begun.exists():
            begun.touch()
            while not stopped() and not Path(__file__).with_name("go").exists():
                time.sleep(0.01)
'''
)


def waiting(folder: Path, *values: float, step: int = 1) -> Path:
    """Write a plugin with the method `waiting`, whose runs at the given values wait in a step; return its path.

    A run that waits writes the file VALUE.begun in the same folder, and never waits while the file is there. A file
    `go` ends all waiting.
    """
    plugin = folder / "waiting.py"
    plugin.write_text(WAITING.replace("VALUES", str(values)).replace("STEP", str(step)))
    return plugin
