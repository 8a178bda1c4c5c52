"""Provenance: each invocation of `sparsefront run` leaves a file that names its code, its machine and its rows."""

from __future__ import annotations

import getpass
import importlib.metadata
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmark.records.files import replacing
from benchmark.records.schema import Status
from benchmark.sweep.lock import is_held
from benchmark.training.devices import cores, cpu
from methods.core.lazy import torch

PACKAGES = (
    *(
        "sparsefront",
        "torch",
        "numpy",
        "typer",
        "rich",
        "torchvision",
        "pillow",
        "scikit-learn",
        "timm",
        "ray",
        "mnist1d",
    ),
    *("safetensors", "onnx", "onnxscript", "onnxruntime"),
)
UNKNOWN = "unknown"  # commit of a checkout that git cannot read
MOST_SECONDS = 1e10  # that an estimate may say; more is no time that anybody waits


@dataclass(frozen=True)
class Invocation:
    """A `sparsefront run` that had something to compute, kept in `invocations/<UTC start>-<process>.json`.

    The invocation wrote the rows `before` to `before + written` of runs.csv, not counting the header. If it was killed,
    it may have written one more; the next invocation's `before` marks the end. Times are UTC. The file holds no name of
    a user or host and no home folder.
    """

    command: str
    commit: str  # empty outside a git checkout, `unknown` where git cannot read it
    dirty: bool  # code was changed since that commit
    packages: dict[str, str]  # versions of the installed ones
    hardware: dict[str, object]
    device: str
    workers: int  # runs at a time
    planned: int  # number of runs in the grid
    to_do: int  # number of them that were not finished before
    rows: dict[str, int]  # before, written
    process: int
    start: str
    end: str | None = None  # null while it computes, and if it was killed
    updated: str = ""  # when this file was written last, after the latest row
    statuses: dict[str, int] = field(default_factory=dict)  # number of its runs with each status
    seconds_left: float | None = None  # estimate after the latest row
    number: int = 0  # invocations of one folder are counted from 1; older versions did not count


@contextmanager
def recorded(folder: Path, **asked: Any) -> Iterator[Callable[..., None]]:
    """Keep the file of an invocation until the block ends; `asked` holds the fields that are not found out here.

    Yields a function that changes fields. It is called after every row, so that the file of a killed process is right.
    """
    start = datetime.now(UTC)
    head, _, dirty = commit().partition("-")
    invocation = Invocation(
        command=_command(),
        commit=head,
        dirty=bool(dirty),
        packages=_packages(),
        hardware=_hardware(asked["device"]),
        process=os.getpid(),
        start=start.isoformat(timespec="seconds"),
        number=earlier.number + 1 if (earlier := latest(folder)) else 1,
        **asked,
    )
    path = folder / "invocations" / f"{start:%Y%m%dT%H%M%S.%fZ}-{os.getpid()}.json"
    path.parent.mkdir(exist_ok=True)

    def update(**changed: Any) -> None:
        nonlocal invocation
        invocation = replace(invocation, updated=_now(), **changed)
        with replacing(path, follow=False) as file:
            file.write((json.dumps(asdict(invocation), indent=2) + "\n").encode())

    update()
    try:
        yield update
    finally:
        update(end=_now())


def latest(folder: Path) -> Invocation | None:
    """Return the folder's last invocation that can be read, or None; the clock may have gone back between two."""
    read = [_read(path) for path in sorted((folder / "invocations").glob("*.json"))]
    return max((one for one in read if one), key=lambda one: (one.number, one.start), default=None)


def was_killed(folder: Path) -> bool:
    """Tell whether a folder's last sweep was killed."""
    last = latest(folder)
    return last is not None and last.end is None and not is_held(folder)


def _read(path: Path) -> Invocation | None:
    """Return the invocation of a file, or None if an older version left it or it was changed by hand."""
    try:
        if not path.is_file():
            return None
        one = Invocation(**json.loads(path.read_text()))
        moments = [datetime.fromisoformat(moment) for moment in (one.start, one.updated, one.end or one.start)]
        sound = all(moment.tzinfo and moment.astimezone(UTC) for moment in moments)
        sound = sound and all(isinstance(text, str) for text in (one.command, one.device))
        sound = sound and all(type(count) is int for count in (one.number, one.workers, one.planned, one.to_do))
        sound = sound and all(Status(name) and type(count) is int for name, count in one.statuses.items())
        return one if sound and 0 <= (one.seconds_left or 0) < MOST_SECONDS else None
    except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def as_written(moment: str) -> str:
    """Return a time of an invocation as people write it."""
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def version() -> str:
    """Return the version of this package."""
    return _packages().get("sparsefront", "")


def commit() -> str:
    """Return the commit of this code, with `-dirty` if it was changed since.

    It is empty outside a git checkout, and `unknown` in one that git cannot read.
    """
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return ""
    if not shutil.which("git"):
        return UNKNOWN

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        # Git trusts no checkout of another user; this process runs its code already.
        command = ["git", "-c", "safe.directory=*", *arguments]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)

    try:
        head = git("rev-parse", "--short=12", "HEAD").stdout.strip()
        dirty = git("diff", "--quiet", "HEAD", "--", "benchmark", "methods").returncode == 1
    except OSError:  # no further process can be started
        return UNKNOWN
    return head + "-dirty" * dirty if head else UNKNOWN


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _command() -> str:
    """Return the command line, with `~` for the home folder and without names of users and hosts."""
    arguments = shlex.join(sys.argv[1:])
    names = {"HOST": platform.node().partition(".")[0]}
    with suppress(KeyError, OSError):  # a container may run as a user without a name
        names["USER"] = getpass.getuser()
    with suppress(RuntimeError):
        arguments = re.sub(rf"(?<![\w/.~-]){re.escape(str(Path.home()))}(?![\w.-])", "~", arguments)
    for stand_in, name in names.items():
        if name:  # an option may have the same name
            arguments = re.sub(rf"(?<!--)\b{re.escape(name)}\b", stand_in, arguments)
    return f"sparsefront {arguments}"


def _packages() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions | {"torch": torch.__version__}  # it also names the kind of accelerator


def _hardware(device: str) -> dict[str, object]:
    """Describe the machine. Names of accelerators are read only if one computes, since reading starts them."""
    accelerators = [device] * (device != "cpu")
    if device.startswith("cuda"):
        accelerators = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {
        "cpu": cpu(),
        "cores": cores(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "accelerators": accelerators,
        "system": platform.platform(),
    }
