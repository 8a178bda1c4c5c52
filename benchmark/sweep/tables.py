"""The tables of a results folder, and what has to hold before a sweep appends to them."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.records.files import remove_partial
from benchmark.records.repair import check_packed, repair
from benchmark.records.schema import COLUMNS, CORRECT_COLUMNS, CURVE_COLUMNS, LAYER_COLUMNS, THRESHOLD_COLUMNS
from benchmark.records.table import check_regular
from benchmark.sweep.lock import LOCK
from benchmark.sweep.upgrade import has_content, rename_cuts, upgrade

TABLES = {
    "runs.csv": COLUMNS,
    "curves.csv": CURVE_COLUMNS,
    "layers.csv": LAYER_COLUMNS,
    "thresholds.csv": THRESHOLD_COLUMNS,
    "correct.csv": CORRECT_COLUMNS,
}
NETWORKS = "networks"  # the subfolder of kept networks
SUBFOLDERS = ("checkpoints", "invocations", NETWORKS)
PACKED = ("curves.csv", "correct.csv")


def check_readable(path: Path) -> None:
    """Raise UsageError if a table is a folder, a pipe, or on a link that leads nowhere."""
    for part in (path.parent, *path.parent.parents):
        if part.is_symlink() and not part.exists():
            raise UsageError(
                f"{part} is a link to {part.readlink()}, where there is no folder; create it, "
                "or choose another one with --results"
            )
    check_regular(path)


def check_writable(folder: Path) -> None:
    """Raise UsageError unless the folder, or the one that it would be created in, and its tables can be written."""
    for table in TABLES:
        check_readable(folder / table)
    for path in (folder / name for name in SUBFOLDERS):
        if os.path.lexists(path) and not path.is_dir():
            raise UsageError(f"{path} is no folder, where a sweep needs one of this name; move it away")
    if os.path.lexists(folder / LOCK) and not stat.S_ISREG((folder / LOCK).lstat().st_mode):
        raise UsageError(f"{folder / LOCK} is no regular file, so no sweep can lock the folder with it; move it away")
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
        for path in (folder / table for table in TABLES):
            if path.exists():
                path.open("ab").close()
    except OSError as error:
        raise UsageError(
            f"results cannot be written to {folder}: {error.strerror}; choose a folder with --results"
        ) from None


def repair_tables(folder: Path) -> list[str]:
    """Set torn lines aside, check the columns of every table, and rewrite tables of older versions.

    Returns one warning for each repair.
    """
    remove_partial(folder)
    remove_partial(folder / NETWORKS)
    rename_cuts(folder)
    for table in PACKED:
        check_packed(folder / table, TABLES[table])
    warnings = [warning for table in TABLES if (warning := repair(folder / table, TABLES[table]))]
    for table, columns in TABLES.items():
        if has_content(folder / table):
            upgrade(folder / table, columns)
    return warnings
