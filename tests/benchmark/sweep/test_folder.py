"""The folder of results: its lock, its tables, and tables of older versions."""

from __future__ import annotations

import csv
import fcntl
import gzip
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import UsageError
from benchmark.experiments.run import Run
from benchmark.records.bits import encode, packed, unpacked
from benchmark.records.schema import COLUMNS, CORRECT_COLUMNS, THRESHOLD_COLUMNS, Measurement, Status
from benchmark.records.table import append, read
from benchmark.sweep.folder import KNOWN, ResultsFolder
from benchmark.sweep.invocation import recorded
from benchmark.sweep.lock import LOCK
from benchmark.sweep.rows import make_row
from benchmark.training.measure import Result
from plots.results import curves

RUNS = [Run("lenet300-digits", "snip", value, 0, 2, 0.1) for value in (0.5, 0.2, 0.1)]


def finish(folder: ResultsFolder, run: Run, status: Status, cuts: int = 0) -> None:
    result = Result(Measurement(status=status), at_thresholds=[(1e-4, 1, 0.1, 90.0, 90.0, 0.0, None, None)] * cuts)
    folder.append([make_row("test", run, result, "cpu", "0", "")], [result])


def test_the_bits_of_a_run_are_written_before_its_row(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    result = Result(Measurement(), correct=(3, encode([True, False, True])))
    folder.append([make_row("test", RUNS[0], result, "cpu", "0", "")], [result])
    finish(folder, RUNS[1], Status.DIVERGED)  # it has no bits
    (row,) = read(tmp_path / "correct.csv", CORRECT_COLUMNS)
    assert row["key"] == RUNS[0].key and unpacked(packed(row["correct"], 3), 3).tolist() == [True, False, True]


def test_a_folder_is_locked_while_a_sweep_holds_it(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    assert not folder.is_locked()
    with folder.lock():
        assert folder.is_locked() and folder.is_locked()
        with pytest.raises(UsageError, match="another sweep"), ResultsFolder(tmp_path).lock():
            pass
        assert folder.is_locked()
    assert not folder.is_locked()
    assert not ResultsFolder(tmp_path / "missing").is_locked()


def test_a_refused_sweep_names_the_one_that_holds_the_folder(tmp_path: Path) -> None:
    asked = {"device": "cpu", "workers": 1, "planned": 1, "to_do": 1, "rows": {}}
    message = rf"`sparsefront .*` since 20.* as process {os.getpid()}"
    folder = ResultsFolder(tmp_path)
    with folder.lock(), recorded(tmp_path, **asked), pytest.raises(UsageError, match=message), folder.lock():
        pass


def test_asking_for_the_lock_does_not_refuse_a_sweep(tmp_path: Path) -> None:
    """`is_locked` itself holds the lock for a moment, in which a sweep may begin."""
    folder = ResultsFolder(tmp_path)
    (tmp_path / LOCK).touch()
    descriptor = os.open(tmp_path / LOCK, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    assert not folder.is_locked()
    threading.Timer(0.02, os.close, [descriptor]).start()
    with folder.lock():
        assert folder.is_locked()


def test_runs_to_do_are_those_without_a_row_and_with_retry_those_that_failed(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    assert folder.to_do(RUNS) == RUNS
    finish(folder, RUNS[0], Status.DIVERGED)
    finish(folder, RUNS[1], Status.ERROR)
    for seen in (folder, ResultsFolder(tmp_path)):  # what was appended is known without reading again
        assert seen.to_do(RUNS) == RUNS[2:]
        assert seen.to_do(RUNS, retry=True) == RUNS[1:]


def test_runs_csv_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finish(ResultsFolder(tmp_path), RUNS[0], Status.OK)
    folder, reads = ResultsFolder(tmp_path), []

    def counted(path: Path, **options: Any) -> list[dict[str, str]]:
        reads.append(path)
        return read(path, **options)

    monkeypatch.setattr("benchmark.sweep.folder.read", counted)
    folder.to_do(RUNS)
    folder.to_do(RUNS, retry=True)
    folder.check_one_budget(RUNS)
    finish(folder, RUNS[1], Status.OK)
    assert len(reads) == 1 and len(folder.rows) == 2


def test_only_an_experiment_that_compares_budgets_mixes_them(tmp_path: Path) -> None:
    folder, longer = ResultsFolder(tmp_path), [replace(run, epochs=run.epochs + 1) for run in RUNS]
    finish(folder, RUNS[0], Status.OK)
    with pytest.raises(UsageError, match="holds runs of"):
        folder.check_one_budget(longer)
    folder.check_one_budget(longer, several=True)
    with pytest.raises(UsageError, match="bf16"):
        folder.check_one_budget([replace(run, precision="bf16") for run in longer], several=True)


def test_an_unknown_status_is_reported_with_the_valid_ones(tmp_path: Path) -> None:
    append(tmp_path / "runs.csv", COLUMNS, [["lost" if column == "status" else "1" for column in COLUMNS]])
    with pytest.raises(UsageError, match=r"'lost' as the status of run 1; statuses are ok, diverged, memory, "):
        ResultsFolder(tmp_path).to_do(RUNS, retry=True)


def test_a_table_of_an_older_version_gets_the_missing_columns(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    finish(folder, RUNS[0], Status.OK)
    path = tmp_path / "runs.csv"
    (row,) = read(path)
    older = [column for column in COLUMNS if column not in ("synthetic", "family")]
    path.unlink()
    append(path, older, [[row[column] for column in older]])
    with ResultsFolder(tmp_path).writing() as warnings:
        assert warnings == []
        finish(ResultsFolder(tmp_path), RUNS[1], Status.OK)
    with path.open() as file:
        header, *cells = csv.reader(file)
    assert tuple(header) == COLUMNS and {len(line) for line in cells} == {len(COLUMNS)}
    assert [row["key"] for row in read(path)] == [run.key for run in RUNS[:2]]


def test_thresholds_of_an_older_version_get_an_empty_error(tmp_path: Path) -> None:
    append(tmp_path / "thresholds.csv", THRESHOLD_COLUMNS[:6], [["before", 1e-4, 1, 0.1, 90, 90]])
    with ResultsFolder(tmp_path).writing() as warnings:
        assert warnings == []
        finish(ResultsFolder(tmp_path), RUNS[0], Status.OK, cuts=1)
    rows = read(tmp_path / "thresholds.csv", THRESHOLD_COLUMNS)
    assert [(row["key"], row["val_difference_se"]) for row in rows] == [("before", ""), (RUNS[0].key, "0")]


@pytest.mark.parametrize("both", [False, True])
def test_cuts_of_an_older_version_move_to_the_thresholds(both: bool, tmp_path: Path) -> None:
    old = ["key", "cut", *THRESHOLD_COLUMNS[2:6]]
    append(tmp_path / "cuts.csv", old, [["before", 1e-4, 1, 0.1, 90, 90]])
    if both:
        finish(ResultsFolder(tmp_path), RUNS[0], Status.OK, cuts=1)
    with ResultsFolder(tmp_path).writing():
        pass
    rows = read(tmp_path / "thresholds.csv", THRESHOLD_COLUMNS)
    assert {row["key"] for row in rows} == {"before"} | ({RUNS[0].key} if both else set())
    assert not (tmp_path / "cuts.csv").exists()


def test_a_folder_created_for_a_refused_sweep_is_removed(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path / "a" / "b")
    with pytest.raises(UsageError), folder.writing():
        raise UsageError("refused")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [b"hello", b"", gzip.compress(b"a,b\n1,2\n", mtime=0), gzip.compress(b"key,epoch", mtime=0)[:14], None],
    ids=["text", "empty", "foreign", "truncated", "pipe"],
)
def test_a_damaged_or_foreign_archive_is_refused_before_rows_are_added(content: bytes | None, tmp_path: Path) -> None:
    archive = tmp_path / "curves.csv.gz"
    archive.write_bytes(content) if content is not None else os.mkfifo(archive)
    with pytest.raises(UsageError, match=r"curves\.csv\.gz"), ResultsFolder(tmp_path).writing():
        pass
    assert content is None or archive.read_bytes() == content


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "dangling"])
def test_a_table_that_is_no_regular_file_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    make: dict[str, Callable[[], object]] = {
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "loop": lambda: path.symlink_to(path),
        "dangling": lambda: path.symlink_to("nowhere"),
    }
    make[kind]()
    said = f"runs.csv is a {'link that leads nowhere' if kind in ('loop', 'dangling') else kind} and no table; move it"
    with pytest.raises(UsageError, match=said):
        ResultsFolder(tmp_path).to_do(RUNS)
    with pytest.raises(UsageError, match=said), ResultsFolder(tmp_path).writing():
        pass
    with pytest.raises(UsageError, match=said):
        read(path)


@pytest.mark.parametrize("target", ["link", "nowhere"])
def test_a_folder_on_a_link_that_leads_nowhere_is_refused(target: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / target)
    folder = ResultsFolder(tmp_path / "link" / "sweep")
    with pytest.raises(UsageError, match=rf"link is a link to .*{target}, where there is no folder; create it"):
        folder.to_do(RUNS)
    with pytest.raises(UsageError, match=rf"link is a link to .*{target}, where there is no folder"), folder.writing():
        pass


def test_rows_have_the_same_columns_whether_they_were_read_or_appended(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    finish(folder, RUNS[0], Status.OK)
    assert folder.rows == ResultsFolder(tmp_path).rows
    assert set(folder.rows[0]) == set(KNOWN)


def test_rows_written_before_a_kill_are_replaced_when_their_run_is_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables of a run are written one after the other, and runs.csv last."""

    def killed(path: Path, *arguments: Any) -> None:
        if path.name == "runs.csv":
            raise InterruptedError
        append(path, *arguments)

    folder, run = ResultsFolder(tmp_path), RUNS[0]
    points = [(epoch, "val_loss", epoch / 2) for epoch in range(3)]
    result = Result(Measurement(density=0.5), points, [("fc1.weight", 10, 5)])
    with monkeypatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr("benchmark.sweep.folder.append", killed)
        folder.append([make_row("made", run, result, "cpu", "", "")], [result])
    again = ResultsFolder(tmp_path)
    with again.writing():
        assert again.to_do([run]) == [run]
        again.append([make_row("made", run, result, "cpu", "", "")], [result])
    assert curves(tmp_path)["value"].tolist() == [0, 0.5, 1]


def test_long_tables_are_packed_while_a_sweep_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.records.repair.PACKED_ABOVE", 300)
    folder, lengths = ResultsFolder(tmp_path), []
    measured = Measurement(density=0.1)
    points = [(epoch, "val_loss", 1 / (epoch + 3)) for epoch in range(10)]
    for run in RUNS * 10:
        folder.append([make_row("made", run, Result(measured, points), "cpu", "", "")], [Result(measured, points)])
        path, packed = tmp_path / "curves.csv", tmp_path / "curves.csv.gz"
        if path.exists():
            longest = max(300, packed.stat().st_size if packed.exists() else 0)
            assert path.stat().st_size <= longest
        lengths.append(len(curves(tmp_path)))
    assert packed.exists()
    assert lengths == [10 * min(count + 1, len(RUNS)) for count in range(len(RUNS) * 10)]  # of equal rows the last


@pytest.mark.parametrize("name", ["checkpoints", "invocations", "networks", "sweep.lock"])
def test_a_pipe_in_the_place_of_a_folder_or_lock_is_named_before_anything_is_computed(
    name: str, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / name)
    folder = ResultsFolder(tmp_path)
    assert not folder.is_locked()
    with pytest.raises(UsageError, match=rf"{name} is no .* move it away"), folder.writing():
        pass
    assert [path.name for path in tmp_path.iterdir()] == [name]
