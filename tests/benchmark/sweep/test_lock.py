"""The lock of a folder, and the look at it."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.sweep.folder import is_locked, locked
from benchmark.sweep.invocation import recorded


def test_a_folder_is_locked_while_a_sweep_holds_it(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    with locked(tmp_path):
        assert is_locked(tmp_path) and is_locked(tmp_path)
        with pytest.raises(UsageError, match="another sweep"), locked(tmp_path):
            pass
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)


def test_who_holds_a_folder_is_told(tmp_path: Path) -> None:
    asked = {"device": "cpu", "workers": 1, "planned": 1, "to_do": 1, "rows": {}}
    told = rf"`sparsefront .*` since 20.* as process {os.getpid()}"
    with locked(tmp_path), recorded(tmp_path, **asked), pytest.raises(UsageError, match=told), locked(tmp_path):
        pass


def test_a_look_refuses_no_sweep(tmp_path: Path) -> None:
    """Whoever asks in the moment in which a sweep begins holds the lock himself."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    assert not is_locked(tmp_path)  # nor is another look taken for a sweep
    threading.Thread(target=lambda: (time.sleep(0.02), os.close(descriptor))).start()
    with locked(tmp_path):
        assert is_locked(tmp_path)
