"""A run that hangs is ended, and so is a sweep whose terminal is closed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.engines import local
from benchmark.engines.dispatch import run_all
from benchmark.engines.local import in_this_process
from benchmark.experiments.run import Run
from methods import load_plugin
from tests.builders import SETTINGS

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


@register("slow", knob="none")
@dataclass
class Slow(Hanging):
    '''Dense training of which every step takes a while.'''

    def update(self, lr):
        super(Hanging, self).update(lr)
        Path(__file__).with_suffix(".begun").touch()
        time.sleep(0.05)
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "hanging.py"
    path.write_text(PLUGIN)
    return path


def test_a_timeout_ends_a_hang_and_other_runs_go_on(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "GRACE", 0.5)
    load_plugin(plugin)
    runs = [Run("lenet300-digits", method, 1, 0, 1, 0.1, synthetic=True) for method in ("hanging", "dense")]
    settings = replace(SETTINGS, plugins=(plugin,), timeout=3)
    results = dict(pair for part in run_all(runs, settings, 1) for pair in part)
    assert [results[run].measured.status for run in runs] == ["timeout", "ok"]
    assert results[runs[0]].measured.error == "not done after 6.5 s with loading and evaluation"


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


def test_a_closed_terminal_saves_what_is_trained(plugin: Path, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "benchmark", "run", "quickstart", "--tier", "smoke", "--methods", "slow", "--seeds", "0",
        "--plugin", str(plugin), "--results", str(tmp_path), "--epochs", "9",
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while not plugin.with_suffix(".begun").exists():
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGHUP)
        _, told = process.communicate()
    assert process.returncode == 130 and "the same command goes on" in told and "Traceback" not in told
    assert len(list(tmp_path.glob("quickstart-smoke/checkpoints/*.pt"))) == 1
