"""Worker processes that the system kills, or does not let start: the sweep goes on, and no run is lost."""

from __future__ import annotations

import multiprocessing
import os
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmark.engines import local
from benchmark.engines.dispatch import run_all
from benchmark.errors import UsageError
from benchmark.experiments.run import Run
from benchmark.sweep import invocation
from benchmark.training.measure import Result
from methods import load_plugin
from tests.builders import SETTINGS, SNIP_RUNS, sparsefront
from tests.processes import FORKED

FAT = """
import os, signal
from dataclasses import dataclass

from methods import register
from methods.random import Random


@register("fat", knob="density")
@dataclass
class Fat(Random):
    '''Needs more memory than there is for two runs together, and at density 0.5 for one.'''

    def setup(self, net, probe):
        if net.runs > 1 or self.value.item() == 0.5:
            os.kill(os.getpid(), signal.SIGKILL)
        super().setup(net, probe)
"""
UNSTARTED = """
import multiprocessing, os
from pathlib import Path

free = Path(__file__).parent / "free"
if multiprocessing.parent_process():
    try:
        free.rename(free.with_suffix(".taken"))
    except OSError:
        os._exit(3)
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers fork from a process that has imported torch, which takes seconds."""
    monkeypatch.setattr(local, "multiprocessing", SimpleNamespace(get_context=lambda _: FORKED))


def computed(packs: list[list[Run]], plugin: Path, workers: int = 2) -> dict[Run, Result]:
    return dict(pair for part in run_all(packs, replace(SETTINGS, plugins=(plugin,)), workers) for pair in part)


def test_a_pack_that_the_system_kills_is_trained_by_halves_and_a_run_becomes_a_row(tmp_path: Path) -> None:
    plugin = tmp_path / "fat.py"
    plugin.write_text(FAT)
    load_plugin(plugin)
    fat = [replace(run, method="fat") for run in SNIP_RUNS]
    results = computed([fat, [replace(fat[0], method="dense", value=1.0)]], plugin)
    assert [results[run].measured.status for run in fat] == ["error", "ok", "ok"]
    assert results[fat[0]].measured.error.startswith("worker was killed by SIGKILL")
    said = " ".join(warning for result in results.values() for warning in result.warnings)
    assert "its 3 runs of fat are trained by halves" in said and "its 2 runs of fat" in said


def test_the_sweep_after_a_killed_one_survives_the_same_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fat.py").write_text(FAT)
    folder = tmp_path / "quickstart-smoke"
    folder.mkdir()
    killed = invocation.recorded(folder, device="cpu", workers=1, planned=1, to_do=1, rows={})
    killed.__enter__()  # and never ends
    given = ["run", "quickstart", "--tier", "smoke", "--methods", "dense,fat", "--values", "0.5", "--seeds", "0"]
    given += ["--workers", "1", "--plugin", str(tmp_path / "fat.py"), "--results", str(tmp_path)]
    assert sparsefront(monkeypatch, *given) == 1
    told = capfd.readouterr().out
    assert "starting 1 worker in a process of its own, since the sweep before was killed" in told
    assert "1 failed (1 error)" in told and "1 ok" in told
    assert sparsefront(monkeypatch, *given) == 1
    assert "was killed" not in capfd.readouterr().out


@pytest.mark.parametrize("free", [1, 0])
def test_a_worker_that_cannot_start_loses_no_run(free: int, tmp_path: Path) -> None:
    plugin = tmp_path / "unstarted.py"
    plugin.write_text(UNSTARTED)
    if not free:
        with pytest.raises(
            UsageError, match=r"no worker process can be started \(worker died with exit code 3\); give"
        ):
            computed([[run] for run in SNIP_RUNS], plugin)
        return
    (tmp_path / "free").touch()
    results = computed([[run] for run in SNIP_RUNS], plugin)
    assert [results[run].measured.status for run in SNIP_RUNS] == ["ok"] * 3
    said = [warning for result in results.values() for warning in result.warnings]
    assert said == ["a worker process could not be started (worker died with exit code 3); the sweep goes on with 1"]


def test_a_limit_on_processes_lets_one_worker_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    start, allowed = FORKED.Process.start, [True]

    def limited(process: multiprocessing.Process) -> None:
        if not allowed:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        allowed.pop()
        start(process)

    monkeypatch.setattr(FORKED.Process, "start", limited)
    (tmp_path / "empty.py").touch()
    results = computed([[run] for run in SNIP_RUNS], tmp_path / "empty.py")
    assert [results[run].measured.status for run in SNIP_RUNS] == ["ok"] * 3


LIMITS = {
    "no thread can be started; raise the limit on processes (ulimit -u), which counts threads, too": RuntimeError(
        "can't start new thread"
    ),
    "the memory of this machine, or its limit (ulimit -v), is not enough for this command": MemoryError(),
    "a package cannot be loaded: ImportError: libtorch.so: failed to map segment": ImportError(
        "libtorch.so: failed to map segment", name="torch._C"
    ),
}


@pytest.mark.parametrize("said", LIMITS)
def test_a_limit_that_the_command_meets_is_one_sentence(
    said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise LIMITS[said]

    monkeypatch.setattr(threading.Thread, "start", refuse)  # that of the lock's heartbeat
    given = ["run", "quickstart", "--tier", "smoke", "--methods", "dense", "--seeds", "0", "--workers", "1"]
    assert sparsefront(monkeypatch, *given, "--results", str(tmp_path)) == 2
    assert capfd.readouterr().err == f"error: {said}\n"


def test_the_commit_is_unknown_where_git_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(11, os.strerror(11))

    monkeypatch.setattr(invocation.subprocess, "run", refuse)
    assert invocation.commit() == invocation.UNKNOWN
