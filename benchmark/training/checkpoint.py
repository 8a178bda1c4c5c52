"""Checkpoints: the training state of a pack on disk.

A checkpoint is written at intervals, whole or not at all, and it is read without running code from the file.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.records.files import replacing
from benchmark.records.schema import hash_fields
from methods.core.lazy import torch

FORMAT = 5  # raised when what is saved changes


@dataclass
class Checkpoint:
    """The checkpoint of the runs of one pack, in a folder with those of other packs."""

    folder: Path
    keys: list[str]  # keys of the runs, in their order
    every: float = 60.0  # seconds between two saves, at least
    fraction: float = 0.02  # fraction of the training time that saving may take
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.folder / f"{hash_fields(runs=self.keys)}.pt"
        self._due = time.monotonic() + self.every

    def due(self) -> bool:
        """Tell whether it is time to save."""
        return time.monotonic() >= self._due

    def save(self, state: dict[str, Any]) -> None:
        """Replace the saved state. If the folder cannot be written, a warning is kept and training continues."""
        begun = time.monotonic()
        try:
            self.folder.mkdir(exist_ok=True)
            saved = {"format": FORMAT, "torch": str(torch.__version__), "keys": self.keys, "state": state}
            # One that does not fit leaves no part, which would take the rows' room.
            with replacing(self.path, follow=False) as file:
                torch.save(saved, file)
        except (OSError, RuntimeError) as error:  # torch raises RuntimeError if the disk is full
            warning = f"{self.path} cannot be written ({str(error).partition(chr(10))[0]})"
            self.warnings += [warning] * (warning not in self.warnings)
        now = time.monotonic()
        self._due = now + max(self.every, (now - begun) / self.fraction)

    def load(self) -> dict[str, Any] | None:
        """Return the saved state, or None. A damaged file or one of other runs is renamed, with a warning."""
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
        except Exception as error:  # reading a damaged file may raise anything
            reason = f"{type(error).__name__} on reading it"
        self.put_aside(f"is no checkpoint of these runs ({reason})")
        return None

    def put_aside(self, fault: str) -> None:
        """Rename the file, with a warning that says why, so that its runs start anew."""
        aside = self.path.with_suffix(".aside")
        self.path.replace(aside)
        self.warnings.append(f"{self.path} {fault}; it is {aside.name} now")


def keys_of(path: Path) -> list[str]:
    """Return the keys of a checkpoint's runs, or none if the file cannot be read."""
    try:
        keys: list[str] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)["keys"]
        return keys
    except Exception:  # reading a damaged file may raise anything
        return []


def remove(path: Path) -> None:
    """Delete the checkpoint of a finished pack and what a killed worker left of it; then the folder, if it is empty."""
    for left in (path, *path.parent.glob(f".{path.name}.*.partial")):
        left.unlink(missing_ok=True)
    with suppress(OSError):
        path.parent.rmdir()
