"""Files that are replaced whole or not at all, also at a power cut."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".*.partial"  # the names of files that are being written


@contextmanager
def replacing(path: Path, follow: bool = True) -> Iterator[BinaryIO]:
    """Yield a file that takes the place of `path` when the block ends, and vanishes if the block raises.

    File and folder are on disk when the block has ended, so no journal can keep the removal of an older file and lose
    the new one. Permissions stay as they were. A link stays a link, or, without `follow`, the file takes its place:
    then no one who may write to the folder can let us overwrite another file.
    """
    target = Path(os.path.realpath(path)) if follow else path  # Path.resolve raises where links form a loop
    temporary = target.with_name(
        f".{target.name[:100]}.{secrets.token_hex(4)}.partial"
    )  # no one can plant a link there
    try:
        with temporary.open("xb") as file:
            if target.is_file() and not target.is_symlink():
                temporary.chmod(target.stat().st_mode & 0o777)
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Put the names of a folder's files on disk, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_partial(folder: Path) -> None:
    """Remove what killed processes left of files that they were writing."""
    for path in folder.glob(TEMPORARY):
        path.unlink(missing_ok=True)
