"""The lock of a results folder where hosts share no locks, where folders move, and where nothing can be locked."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.experiments.run import Run
from benchmark.records.schema import Measurement
from benchmark.records.table import read
from benchmark.sweep import lock
from benchmark.sweep.folder import ResultsFolder
from benchmark.sweep.rows import make_row
from benchmark.training.measure import Result

RUN = Run("lenet300-digits", "snip", 0.5, 0, 2, 0.1)


def finish(folder: ResultsFolder) -> None:
    result = Result(Measurement())
    folder.append([make_row("test", RUN, result, "cpu", "0", "")], [result])


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "BEAT", 0.05)
    monkeypatch.setattr(lock, "PATIENCE", 0.6)


def on_another_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on this process is on another host, and a lock of the operating system reaches no other host."""
    monkeypatch.setattr(platform, "node", lambda: "elsewhere")
    monkeypatch.setattr(fcntl, "flock", lambda descriptor, mode: None)


def test_a_sweep_on_a_host_that_shares_no_locks_holds_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hasty: None
) -> None:
    here = platform.node()
    on_another_host(monkeypatch)
    with ResultsFolder(tmp_path).lock():
        monkeypatch.setattr(platform, "node", lambda: here)
        assert ResultsFolder(tmp_path).is_locked()
        refused = pytest.raises(UsageError, match=rf"another sweep, process {os.getpid()}, on elsewhere is writing")
        with refused, ResultsFolder(tmp_path).lock():
            pass
        monkeypatch.setattr(platform, "node", lambda: "elsewhere")
    assert list(tmp_path.iterdir()) == []


def test_a_container_of_the_same_host_name_does_not_judge_by_its_own_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hasty: None
) -> None:
    monkeypatch.setattr(fcntl, "flock", lambda descriptor, mode: None)
    with ResultsFolder(tmp_path).lock():
        monkeypatch.setattr(lock, "_system", lambda: "another")
        with pytest.raises(UsageError, match="is writing"), ResultsFolder(tmp_path).lock():
            pass


@pytest.mark.parametrize(
    ("host", "process"),
    [("elsewhere", 1), (None, 2**22 + 1), (None, os.getpid())],
    ids=["another host", "no process", "this process"],  # the workers of pytest-xdist need equal names
)
def test_the_lock_of_a_sweep_that_was_killed_is_taken(
    host: str | None, process: int, tmp_path: Path, hasty: None
) -> None:
    record = {
        "host": host or platform.node(),
        "system": lock._system(),
        "process": process,
        "token": "0",
        "time": time.time() - 60,
    }
    (tmp_path / lock.LOCK).write_text(json.dumps(record))
    assert not ResultsFolder(tmp_path).is_locked()
    folder = ResultsFolder(tmp_path)
    with folder.lock():
        finish(folder)
    assert not (tmp_path / lock.LOCK).exists()


@pytest.mark.parametrize("text", ["", "{}", "[[", '{"host": 1, "process": "x", "token": null, "time": 0}'])
def test_a_lock_file_that_was_changed_by_hand_locks_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / lock.LOCK).write_text(text)
    assert not ResultsFolder(tmp_path).is_locked()
    with ResultsFolder(tmp_path).lock():
        assert ResultsFolder(tmp_path).is_locked()


def _move(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))


def _replace(folder: Path) -> None:
    _move(folder)
    folder.mkdir()


def _take(folder: Path) -> None:
    record = {"host": "elsewhere", "system": "", "process": 1, "token": "0", "time": time.time()}
    (folder / lock.LOCK).write_text(json.dumps(record))


@pytest.mark.parametrize("change", [_move, _replace, _take])
def test_a_sweep_that_lost_its_folder_writes_no_further_row(
    change: Callable[[Path], None], tmp_path: Path, hasty: None
) -> None:
    folder = ResultsFolder(tmp_path / "sweep")
    folder.path.mkdir()
    with (
        pytest.raises(UsageError, match="was moved, replaced or deleted during this sweep, or another sweep"),
        folder.lock(),
    ):
        finish(folder)
        change(folder.path)
        time.sleep(0.2)  # beats do not win the lock back
        finish(folder)
    rows = [row for path in tmp_path.glob("*/runs.csv") for row in read(path)]
    assert len(rows) == 1
    assert (folder.path / lock.LOCK).exists() == (change is _take)  # the other sweep's lock stays


def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("not ours")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / lock.LOCK).symlink_to(other)
    with pytest.raises(OSError), ResultsFolder(folder).lock():
        pass
    assert other.read_text() == "not ours"


def test_a_file_system_that_cannot_lock_is_named_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, mode: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert not ResultsFolder(tmp_path).is_locked()
    with pytest.raises(UsageError, match=r"cannot lock files \(No locks available\)"), ResultsFolder(tmp_path).lock():
        pass
