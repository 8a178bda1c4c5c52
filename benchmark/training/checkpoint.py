"""Where a pack's training stands, on disk: written on a clock, whole or not at all, and read without running code."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.records.schema import hash_fields
from methods.core.lazy import torch

STOP = threading.Event()  # once set, training saves its state before its next step and ends
EVERY = 60.0  # seconds
SHARE = 0.02  # of a run's time that saving may take
FORMAT = 5  # raised when what is saved changes


@dataclass
class Checkpoint:
    """The checkpoint of the runs that are trained together, in a folder of many."""

    folder: Path
    keys: list[str]  # of the runs, in their order
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.folder / f"{hash_fields(runs=self.keys)}.pt"
        self._due = time.monotonic() + EVERY

    def due(self) -> bool:
        return time.monotonic() >= self._due

    def save(self, state: dict[str, Any]) -> None:
        """Replace what is there; a folder that cannot be written costs a warning, not the run."""
        begun = time.monotonic()
        temporary = self.path.with_suffix(".tmp")
        try:
            self.folder.mkdir(exist_ok=True)
            with temporary.open("wb") as file:
                torch.save({"format": FORMAT, "torch": str(torch.__version__), "keys": self.keys, "state": state}, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        except (OSError, RuntimeError) as error:  # torch's own word for a full disk is a RuntimeError
            self.warnings.append(f"{self.path} cannot be written ({str(error).partition(chr(10))[0]})")
        now = time.monotonic()
        self._due = now + max(EVERY, (now - begun) / SHARE)

    def load(self) -> dict[str, Any] | None:
        """The state of these runs, or None; what is damaged or foreign is named and set aside."""
        if not self.path.is_file():
            return None
        try:
            saved = torch.load(self.path, map_location="cpu", weights_only=True)
            expected = {"format": FORMAT, "torch": str(torch.__version__), "keys": self.keys}
            found = {name: saved[name] for name in expected}
            if found == expected:
                state: dict[str, Any] = saved["state"]
                return state
            reason = ", ".join(f"its {name} is another" for name in expected if found[name] != expected[name])
        except Exception as error:  # whatever a damaged file makes of a reader
            reason = f"{type(error).__name__} on reading it"
        aside = self.path.with_suffix(".aside")
        self.path.replace(aside)
        self.warnings.append(f"{self.path} is no checkpoint of these runs ({reason}); it is {aside.name} now")
        return None


def keys_of(path: Path) -> list[str]:
    """The keys of a checkpoint's runs; none of one that cannot be read."""
    try:
        keys: list[str] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)["keys"]
        return keys
    except Exception:  # whatever a damaged file makes of a reader
        return []


def remove(path: Path) -> None:
    """Of a pack that is done; the folder goes with the last one."""
    path.unlink(missing_ok=True)
    with suppress(OSError):
        path.parent.rmdir()
