"""Merge folders of results: keys decide which runs are the same, and nothing that is there is changed."""

from __future__ import annotations

import csv
import gzip
import io
import math
import shutil
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.records.repair import check_packed, compress
from benchmark.records.schema import COLUMNS, INFERENCE_COLUMNS, INITIAL_COLUMNS
from benchmark.records.table import encoded, read
from benchmark.sweep.folder import ResultsFolder
from benchmark.sweep.rows import completed
from benchmark.sweep.tables import PACKED, TABLES

# Two computations of one key on different machines may differ in these, and then the key is a conflict.
MEASURED = ("status", "nonzeros", "val_accuracy", "test_accuracy")


@dataclass(frozen=True)
class Merged:
    """The number of runs that each folder gave, and a line for each key on which two folders disagree."""

    runs: dict[Path, int]
    conflicts: list[str]


def merge(folders: Sequence[Path], output: Path) -> Merged:
    """Write the runs of several folders into a new one, each key once, sorted by the time they were finished.

    If several folders hold a key, the first of them in which the run did not fail gives its row and all its other
    tables. The folders stay as they are, and <output> appears whole or not at all. Raises UsageError if <output> is
    not empty or lies in one of the folders, a folder cannot be read, or two of them hold different budgets of one task.
    """
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise UsageError(f"{output} is not empty, and nothing is overwritten; name a new folder with --output")
    for folder in folders:
        if output.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"{output} lies in {folder}, which stays as it is; name a folder elsewhere with --output")
    rows, conflicts = _choose(folders)
    _check_one_budget(rows)
    # Readers take the last row of a run that another version trained again.
    order = sorted(rows, key=lambda key: rows[key][1]["finished_at"])
    runs = {folder: sum(source == folder for source, _ in rows.values()) for folder in folders}
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".merging-") as name:
        new = Path(name) / "merged"
        new.mkdir()
        for folder in folders:
            _copy(folder, new, {key for key, (source, _) in rows.items() if source == folder})
        _extend(new / "runs.csv", COLUMNS, [rows[key][1] for key in order])
        for table in PACKED:
            compress(new / table)
        new.replace(output)
    return Merged(runs, conflicts)


def _choose(folders: Sequence[Path]) -> tuple[dict[str, tuple[Path, dict[str, str]]], list[str]]:
    """Return folder and row of every key, and a line for each key whose measurements differ."""
    chosen: dict[str, tuple[Path, dict[str, str]]] = {}
    conflicts = []
    for folder in folders:
        results = ResultsFolder(folder)
        if not results.rows:
            read(folder / "runs.csv", only=["key"])  # says which folder was meant, if there is none of this name
            raise UsageError(f"there are no results in {folder}; `sparsefront run` writes them")
        rows = read(folder / "runs.csv")
        own = {row["key"]: row if row["base_task"] and row["label"] else completed(row) for row in rows}
        for key, row in own.items():
            if key not in chosen or (results.failed(chosen[key][1]) and not results.failed(row)):
                chosen[key] = folder, row
                continue
            first, kept = chosen[key]
            differing = [name for name in MEASURED if not _equal(row[name], kept[name])]
            if not results.failed(row) and differing:
                name = differing[-1]
                conflicts.append(
                    f"{row['task']} {row['method']} {row['value']} seed {row['seed']} ({key}): {kept['status']} with "
                    f"{name} {kept[name] or 'missing'} in {first}, which is kept, {row['status']} with "
                    f"{row[name] or 'missing'} in {folder}"
                )
    return chosen, conflicts


def _equal(one: str, other: str) -> bool:
    """Tell whether two cells hold the same; a spreadsheet keeps 15 digits of a number."""
    try:
        return one == other or math.isclose(float(one), float(other), rel_tol=1e-13)
    except ValueError:
        return False


def _check_one_budget(rows: dict[str, tuple[Path, dict[str, str]]]) -> None:
    """Raise UsageError if one task has runs of several budgets, since a front that mixes them compares nothing."""
    found: dict[str, tuple[Path, tuple[str, str]]] = {}
    for folder, row in rows.values():
        budget = row["epochs"], row["precision"]
        first, known = found.setdefault(row["task"], (folder, budget))
        if known != budget:
            raise UsageError(
                f"{first} holds runs of {known[0]} epochs in {known[1]} on {row['task']}, and {folder} of {budget[0]} "
                f"in {budget[1]}; `sparsefront compare` puts folders into one report that stay apart"
            )


def _copy(folder: Path, new: Path, keys: set[str]) -> None:
    """Copy the other tables' rows and kept networks of some keys, and the records of invocations."""
    for table, columns in {**TABLES, "inference.csv": INFERENCE_COLUMNS}.items():
        if table != "runs.csv":
            _extend(new / table, columns, [row for row in _rows(folder / table, columns) if row["key"] in keys])
    if not (new / "initial_weights.csv").exists():  # it is computed without training, the same everywhere
        _extend(new / "initial_weights.csv", INITIAL_COLUMNS, _rows(folder / "initial_weights.csv", INITIAL_COLUMNS))
    for key in keys:
        if (network := ResultsFolder(folder).network(key)).is_file():
            target = ResultsFolder(new).network(key)
            target.parent.mkdir(exist_ok=True)
            shutil.copy(network, target)
    for path in sorted((folder / "invocations").glob("*.json")):
        (new / "invocations").mkdir(exist_ok=True)
        target = new / "invocations" / path.name
        shutil.copy(path, target if not target.exists() else target.with_stem(f"{path.stem}-{folder.resolve().name}"))


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Return the rows of a table, those in `<file>.gz` first; none if there is neither file."""
    older = path.with_name("cuts.csv") if path.name == "thresholds.csv" else None
    rows = read(older, columns) if older and older.is_file() else []
    check_packed(path, columns)
    packed = path.with_name(path.name + ".gz")
    if packed.is_file():
        try:
            rows += csv.DictReader(io.StringIO(gzip.decompress(packed.read_bytes()).decode()))
        except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError) as error:
            raise UsageError(f"{packed} is damaged ({error}); restore it, or move it away") from None
    return rows + (read(path, columns) if path.is_file() else [])


def _extend(path: Path, columns: Sequence[str], rows: Sequence[dict[str, str]]) -> None:
    if rows:
        with path.open("ab") as file:
            file.write(encoded([columns] * (file.tell() == 0), [[row[column] for column in columns] for row in rows]))
