"""One sweep a folder: rows have one writer."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmark.errors import UsageError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder, which exists, until the end; the operating system lets go of it should the process die.

    Raises UsageError if another sweep holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise UsageError(f"another sweep is writing to {folder}; wait for it, or choose another --results") from None
    try:
        yield
    finally:
        os.close(descriptor)
