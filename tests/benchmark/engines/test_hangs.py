"""A run that hangs is ended, and so is a sweep whose terminal is closed."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from multiprocessing import connection
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmark.engines import local
from benchmark.engines.dispatch import run_all
from benchmark.engines.local import in_this_process
from benchmark.engines.worker_process import serve
from benchmark.errors import UsageError
from benchmark.experiments.run import Run
from methods import load_plugin
from tests.builders import SETTINGS
from tests.processes import FORKED, number_of, started, wait_for, waiting

PLUGIN = """
import time
from dataclasses import dataclass
from pathlib import Path

from methods import register
from methods.dense import Dense


@register("hanging", knob="none")
@dataclass
class Hanging(Dense):
    '''Dense training that hangs in its second step.'''

    steps = 0
    state_names = ("steps",)

    def update(self, lr):
        super().update(lr)
        self.steps += 1
        if self.steps == 2:
            Path(__file__).with_suffix(".begun").touch()
            time.sleep(600)

"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "hanging.py"
    path.write_text(PLUGIN)
    return path


def test_a_timeout_ends_a_hang_and_other_runs_go_on(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    late = 0.0

    def wait(connections: list[Connection], timeout: float) -> list[Any]:
        """Wait for workers; once one hangs, let the time of its timeout be over."""
        nonlocal late
        while not (ready := connection.wait(connections, 0.05)):
            if begun.exists():
                begun.unlink()
                late += timeout
                break
        return ready

    begun = plugin.with_suffix(".begun")
    monkeypatch.setattr(local, "wait", wait)
    monkeypatch.setattr(local, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + late))
    load_plugin(plugin)
    runs = [Run("lenet300-digits", method, 1, 0, 1, 0.1, synthetic=True) for method in ("hanging", "dense")]
    settings = replace(SETTINGS, plugins=(plugin,), timeout=100)
    results = dict(pair for part in run_all([[run] for run in runs], settings, 1) for pair in part)
    assert [results[run].measured.status for run in runs] == ["timeout", "ok"]
    assert results[runs[0]].measured.error == "not done after 230 s with loading and evaluation"


def test_ctrl_c_ends_training_that_hangs(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "PATIENCE", 0.2)
    load_plugin(plugin)
    runs = [Run("lenet300-digits", "hanging", 1, 0, 1, 0.1, synthetic=True)]

    def interrupt() -> None:
        while not plugin.with_suffix(".begun").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        list(in_this_process([runs], replace(SETTINGS, plugins=(plugin,))))


@pytest.mark.parametrize("fault", ["", "raise OSError"])
def test_a_worker_ends_although_a_thread_of_a_plugin_goes_on(fault: str, tmp_path: Path) -> None:
    plugin = tmp_path / "threaded.py"
    plugin.write_text(
        "import threading\nfrom benchmark.engines import threads\nthreads.LINGER = 0.01\n"
        f"threading.Thread(target=threading.Event().wait).start()\n{fault}\n"
    )
    ours, theirs = FORKED.Pipe()
    process = FORKED.Process(target=serve, args=(theirs, replace(SETTINGS, plugins=(plugin,)), 1))
    process.start()
    ours.send(None)
    process.join(timeout=60)
    process.kill()
    process.join()
    assert process.exitcode == bool(fault)


def test_ctrl_c_ends_workers_that_hang(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "PATIENCE", 0.2)
    monkeypatch.setattr(local, "multiprocessing", SimpleNamespace(get_context=lambda _: FORKED))
    load_plugin(plugin)
    runs = [Run("lenet300-digits", "hanging", 1, seed, 1, 0.1, synthetic=True) for seed in (0, 1)]

    def wait(connections: list[Connection], timeout: float | None) -> list[Any]:
        while not plugin.with_suffix(".begun").exists():
            connection.wait(connections, 0.02)
        raise KeyboardInterrupt

    monkeypatch.setattr(local, "wait", wait)
    with pytest.raises(KeyboardInterrupt):
        list(run_all([[run] for run in runs], replace(SETTINGS, plugins=(plugin,)), 2))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (-signal.SIGKILL, "killed by SIGKILL, as the system does when its memory runs short"),
        (-signal.SIGSEGV, "killed by signal 11 (Segmentation fault)"),
        (9, "died with exit code 9"),
        (0, "asked to stop"),
    ],
)
def test_the_end_of_a_worker_is_told_in_words(status: int, said: str) -> None:
    assert said in local._end_of(status)


def test_a_worker_that_cannot_be_started_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(process: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(type(FORKED.Process()), "start", refuse)
    with pytest.raises(UsageError, match=r"no worker process can be started \(Resource temporarily unavailable\)"):
        list(run_all([[Run("lenet300-digits", "dense", 1, 0, 1, 0.1)]] * 2, SETTINGS, 2))


def test_a_closed_terminal_saves_what_is_trained(tmp_path: Path) -> None:
    command = [
        "run", "quickstart", "--tier", "smoke", "--methods", "waiting", "--values", "0.5", "--seeds", "0",
        "--plugin", str(waiting(tmp_path, 0.5)), "--results", str(tmp_path),
    ]  # fmt: skip
    with started(*command, output=tmp_path / "told") as process:
        wait_for((tmp_path / "0.5.begun").exists, process)
        os.killpg(number_of(process), signal.SIGHUP)
        process.join()
    told = (tmp_path / "told").read_text()
    assert process.exitcode == 130 and "the same command goes on" in told and "Traceback" not in told
    assert len(list(tmp_path.glob("quickstart-smoke/checkpoints/*.pt"))) == 1
