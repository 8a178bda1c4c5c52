"""One sweep a folder: rows have one writer."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.sweep.invocation import latest


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder, which exists, until the end; the operating system lets go of it should the process die.

    Raises UsageError if another sweep holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if not _hold(descriptor, fcntl.LOCK_EX):
            time.sleep(0.1)  # `is_locked` may have had it, for a moment
            if not _hold(descriptor, fcntl.LOCK_EX):
                raise UsageError(
                    f"another sweep{_holder(folder)} is writing to {folder}; wait for it, or choose another --results"
                )
        yield
    finally:
        os.close(descriptor)


def is_locked(folder: Path) -> bool:
    """Is a sweep writing to the folder, which exists?"""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        return not _hold(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _holder(folder: Path) -> str:
    """Who holds the folder, as far as its last invocation's file tells."""
    invocation = latest(folder)
    if invocation is None or invocation.end:
        return ""
    return f", `{invocation.command}` since {invocation.start} as process {invocation.process},"


def _hold(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
