"""The lock of a results folder: one sweep writes, on local and on network file systems."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmark.errors import UsageError

LOCK = "sweep.lock"
BEAT = 5.0  # seconds between two beats of a sweep that holds the lock
PATIENCE = 15.0  # seconds without a beat after which a sweep on another host counts as dead


@contextmanager
def holding(folder: Path, holder: Callable[[], str]) -> Iterator[Callable[[], None]]:
    """Hold a folder, which exists, until the block ends; the operating system unlocks it if the process dies.

    The lock is one of the operating system on a regular file, which NFS shares between hosts, where it does not share
    one on a folder. Some file systems share none, so the file also names host and process, and a thread renews the time
    in it. Yields a function that raises UsageError once the folder is no longer ours: it was moved or replaced, or this
    process slept so long that another one took the lock. Raises UsageError, with what `holder` says of the other sweep,
    if the folder is held, and if its file system cannot lock.
    """
    path, stop, token = folder / LOCK, threading.Event(), secrets.token_hex(8)
    us = {"host": platform.node(), "system": _system(), "process": os.getpid(), "token": token}
    descriptor = _locked(path, folder, holder)

    def ours() -> bool:
        return _record(path).get("token") == token

    def check() -> None:
        if not ours():
            raise UsageError(
                f"{folder} was moved, replaced or deleted during this sweep, or another sweep took it while this one "
                "slept; rows so far are where the folder is now, and the same command goes on from there"
            )

    def beat() -> None:
        while not stop.wait(BEAT):
            with suppress(OSError):
                if ours():
                    _write(descriptor, us)

    try:
        if _beats(path):
            raise _refusal(path, folder, holder)
        os.ftruncate(descriptor, 0)
        _write(descriptor, us)
        threading.Thread(target=beat, daemon=True).start()
        yield check
    finally:
        stop.set()
        with suppress(OSError):
            if ours():
                path.unlink()
        os.close(descriptor)


def is_held(folder: Path) -> bool:
    """Tell whether a sweep is writing to a folder; the clocks of hosts are taken to agree."""
    path = folder / LOCK
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # the file system cannot lock
        pass
    finally:
        os.close(descriptor)
    record = _record(path)
    return not _is_dead(record) and abs(time.time() - record["time"]) < PATIENCE


def _locked(path: Path, folder: Path, holder: Callable[[], str]) -> int:
    """Return the descriptor of the lock file, with the operating system's lock on it."""
    for attempt in range(20):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor  # else the sweep before has just removed this file
        except BlockingIOError:
            if attempt > 1:  # `is_held` of another process may have held it for a moment
                os.close(descriptor)
                raise _refusal(path, folder, holder) from None
            time.sleep(0.1)
        except OSError as error:
            os.close(descriptor)
            raise UsageError(
                f"the file system of {folder} cannot lock files ({error.strerror}), so two sweeps could write there at "
                "once; choose a folder on another file system with --results"
            ) from None
        os.close(descriptor)
    raise _refusal(path, folder, holder)


def _beats(path: Path) -> bool:
    """Tell whether the sweep that the lock file names is alive on a host whose locks do not reach this one.

    Clocks of hosts differ, so it is watched until its time changes or its patience ends.
    """
    first = _record(path)
    if _is_dead(first):
        return False
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        time.sleep(min(BEAT, PATIENCE) / 5)
        if (now := _record(path)) != first:
            return not _is_dead(now)
    return False


def _is_dead(record: dict[str, Any]) -> bool:
    """Tell whether a lock file names no process, or one of this host that is gone."""
    if not record:
        return True
    if (record["host"], record["system"]) != (platform.node(), _system()):
        return False
    if record["process"] == os.getpid():
        return True
    try:
        os.kill(record["process"], 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _system() -> str:
    """Return what tells systems of one host name apart, as containers are; only within one do process numbers agree."""
    with suppress(OSError):
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {Path('/proc/self/ns/pid').readlink()}"
    return ""


def _record(path: Path) -> dict[str, Any]:
    """Return what a lock file says of its sweep; nothing if it is missing, no file, or was changed by hand."""
    try:
        if not path.is_file():  # reading a pipe would never end
            return {}
        record = json.loads(path.read_text())
        kinds = {"host": str, "system": str, "process": int, "token": str, "time": float}
        return record if all(isinstance(record[name], kind) for name, kind in kinds.items()) else {}
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _write(descriptor: int, sweep: dict[str, Any]) -> None:
    """Write a sweep and the time to its lock file; all records are equally long, so that none is read torn."""
    text = json.dumps(sweep | {"time": time.time()}).ljust(300) + "\n"
    os.pwrite(descriptor, text.encode(), 0)
    os.fsync(descriptor)


def _refusal(path: Path, folder: Path, holder: Callable[[], str]) -> UsageError:
    record = _record(path)
    by = holder() or (f", process {record['process']}," if record else "")
    host = f" on {record['host']}" if record and record["host"] != platform.node() else ""
    return UsageError(f"another sweep{by}{host} is writing to {folder}; wait for it, or choose another --results")
