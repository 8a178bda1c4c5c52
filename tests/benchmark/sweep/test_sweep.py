"""Sweeps: no run is computed twice, no row is lost, and failures are rows."""

from __future__ import annotations

import csv
import errno
import io
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmark.engines import packs
from benchmark.engines.dispatch import run_all
from benchmark.engines.local import in_processes
from benchmark.engines.settings import Settings
from benchmark.errors import UsageError
from benchmark.experiments.run import Run
from benchmark.records.schema import CURVE_COLUMNS, LAYER_COLUMNS, THRESHOLD_COLUMNS, THRESHOLDS, Measurement, Status
from benchmark.records.table import read
from benchmark.sweep.folder import ResultsFolder
from benchmark.sweep.sweep import sweep
from benchmark.tasks.task import Task
from benchmark.training.loop import train
from benchmark.training.measure import Result
from methods.core.base import Method
from tests.builders import GRID, QUIET, SETTINGS, rows
from tests.processes import ended, number_of, started, wait_for, waiting


def test_a_sweep_writes_a_row_its_curves_and_its_layers_for_every_run(tmp_path: Path) -> None:
    runs = GRID.runs()
    assert sweep("test", runs, tmp_path, SETTINGS, 1, QUIET) == {"ok": 4}
    written = rows(tmp_path)
    assert [row["key"] for row in written] == [run.key for run in runs]
    assert [row["method"] for row in written] == ["dense", "snip", "snip", "dwf[depth=2]"]
    assert [row["nonzeros"] for row in written[:3]] == ["50200", "25100", "5020"]
    assert [row["penalty"] != "" for row in written] == [False, False, False, True]
    assert (written[3]["depth"], written[3]["options"]) == (
        "2",
        "depth=2,by=strength,init=scaled,rates=matched,epsilon=0.25,rescale=false,decay=coupled,threshold=1.19e-07",
    )
    for row in written:
        assert all(row[name] for name in ("train_seconds", "step_ms", "hardware", "torch", "finished_at"))
        assert row["peak_memory_mb"] == ""  # on a CPU only the process's peak is known
    curves = read(tmp_path / "curves.csv", CURVE_COLUMNS)
    assert len(curves) == len({(c["key"], c["epoch"], c["metric"]) for c in curves})
    assert {(c["key"], c["epoch"]) for c in curves} == {(row["key"], epoch) for row in written for epoch in "012"}
    cuts = read(tmp_path / "thresholds.csv", THRESHOLD_COLUMNS)
    assert [cut["key"] for cut in cuts] == [written[3]["key"]] * len(THRESHOLDS)
    layers = read(tmp_path / "layers.csv", LAYER_COLUMNS)
    for row in written:
        own = [layer for layer in layers if layer["key"] == row["key"]]
        assert sum(int(layer["kept"]) for layer in own) == int(row["nonzeros"])
        assert sum(int(layer["total"]) for layer in own) == int(row["prunable"])


def test_the_time_left_is_estimated_in_the_order_in_which_packs_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[Run]] = []

    def seconds_left(runs: list[Run], *arguments: Any) -> float:
        asked.append(runs)
        return 1.0

    monkeypatch.setattr("benchmark.sweep.sweep.seconds_left", seconds_left)
    runs = replace(GRID, seeds=(0, 1)).runs()  # seed by seed; a pack holds both seeds
    sweep("test", runs, tmp_path, replace(SETTINGS, pack=2), 1, QUIET)
    written = [row["key"] for row in rows(tmp_path)]
    assert written != [run.key for run in runs]
    assert [run.key for run in asked[-1]] == written


def test_a_finished_run_is_never_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = GRID.runs()
    sweep("test", runs[:2], tmp_path, SETTINGS, 1, QUIET)
    before = (tmp_path / "runs.csv").read_bytes()
    trained: list[tuple[str, float]] = []

    def counted(task: Task, method: Method, values: list[float], *others: Any) -> list[Result]:
        trained.extend((str(method), value) for value in values)
        return train(task, method, values, *others)

    monkeypatch.setattr(packs, "train", counted)
    new = [(run.method, run.value) for run in runs[2:]]
    sweep("test", runs, tmp_path, SETTINGS, 1, QUIET)
    assert trained == new
    assert (tmp_path / "runs.csv").read_bytes().startswith(before)
    sweep("test", runs, tmp_path, SETTINGS, 1, QUIET)
    assert trained == new and ResultsFolder(tmp_path).to_do(runs) == []


def test_two_processes_compute_the_same_rows_as_one(tmp_path: Path) -> None:
    runs = GRID.runs()
    sweep("test", runs, tmp_path / "one", SETTINGS, 1, QUIET)
    sweep("test", runs, tmp_path / "two", SETTINGS, 2, QUIET)
    timed = {"train_seconds", "step_ms", "peak_memory_mb", "finished_at", "threads"}
    one, two = (
        {row["key"]: {k: v for k, v in row.items() if k not in timed} for row in rows(tmp_path / folder)}
        for folder in ("one", "two")
    )
    assert one == two


def test_an_exception_is_a_row_and_retry_runs_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = GRID.runs()

    def fail(*arguments: object) -> None:
        raise RuntimeError("out of\nluck")

    with monkeypatch.context() as patched:
        patched.setattr(packs, "train", fail)
        assert sweep("test", runs[:1], tmp_path, SETTINGS, 1, QUIET) == {"error": 1}
    (row,) = rows(tmp_path)
    assert (row["status"], row["error"]) == ("error", "RuntimeError: out of luck")
    assert row["test_accuracy"] == "" and row["method"] == "dense"
    console = Console(record=True, width=500, file=io.StringIO())
    assert sweep("test", runs[:1], tmp_path, SETTINGS, 1, console) == {}
    assert "1 of the finished failed, --retry failed" in console.export_text()
    assert sweep("test", runs[:1], tmp_path, SETTINGS, 1, QUIET, retry=True) == {"ok": 1}
    assert [row["status"] for row in rows(tmp_path)] == ["error", "ok"]


def test_a_full_disk_stops_the_sweep_and_loses_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = GRID.runs()
    synced = 0

    def fill(descriptor: int) -> None:
        nonlocal synced
        synced += Path(f"/proc/self/fd/{descriptor}").readlink().name == "runs.csv"
        if synced > 1:  # the row of the first run is written, and that of the second in part
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - 7)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched, pytest.raises(UsageError, match=r"No space left on device.*goes on"):
        patched.setattr(os, "fsync", fill)
        sweep("test", runs, tmp_path, SETTINGS, 1, QUIET)
    _, whole, torn = (tmp_path / "runs.csv").read_text().splitlines()
    assert sweep("test", runs, tmp_path, SETTINGS, 1, QUIET) == {"ok": 3}
    assert (tmp_path / "runs.csv").read_text().splitlines()[1] == whole
    assert (tmp_path / "runs.csv.torn").read_text() == torn + "\n"
    assert [row["key"] for row in rows(tmp_path)] == [run.key for run in runs]


def test_a_deleted_folder_stops_the_sweep_with_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mounted"

    def unmounting(*arguments: Any) -> list[Result]:
        results = train(*arguments)
        shutil.rmtree(folder)
        return results

    monkeypatch.setattr(packs, "train", unmounting)
    with pytest.raises(UsageError, match="was moved, replaced or deleted during this sweep"):
        sweep("test", GRID.runs(), folder, SETTINGS, 1, QUIET)


def test_two_sweeps_cannot_write_to_one_folder(tmp_path: Path) -> None:
    with ResultsFolder(tmp_path).lock(), pytest.raises(UsageError, match="another sweep"):
        sweep("test", GRID.runs(), tmp_path, SETTINGS, 1, QUIET)
    assert not (tmp_path / "runs.csv").exists()


def test_a_folder_holds_runs_of_one_budget(tmp_path: Path) -> None:
    sweep("test", GRID.runs()[:1], tmp_path, SETTINGS, 1, QUIET)
    before = (tmp_path / "runs.csv").read_bytes()
    for change in ({"epochs": 3}, {"precision": "bf16"}):
        with pytest.raises(UsageError, match="another folder"):
            sweep("test", replace(GRID, **change).runs(), tmp_path, SETTINGS, 1, QUIET)
    assert (tmp_path / "runs.csv").read_bytes() == before


PLUGIN = """
import os
from dataclasses import dataclass
from methods import Method, register

@register("deadly", knob="none")
@dataclass
class Deadly(Method):
    '''Ends the whole process at its first step.'''
    def update(self, lr):
        os._exit(9)
"""


def test_a_worker_that_dies_loses_only_its_own_run(tmp_path: Path) -> None:
    from methods.core.plugins import load_plugin

    plugin = tmp_path / "deadly_plugin.py"
    plugin.write_text(PLUGIN)
    load_plugin(plugin)
    healthy = GRID.runs()
    runs = [Run("lenet300-digits", "deadly", 1.0, 0, 1, 0.1, synthetic=True), *healthy]
    alone = [[run] for run in runs]
    results = dict(pair for part in run_all(alone, Settings("cpu", tmp_path, (plugin,)), 2) for pair in part)
    assert results[runs[0]].measured == Measurement(status=Status.ERROR, error="worker died with exit code 9")
    assert all(results[run].measured.test_accuracy is not None for run in healthy)


def test_an_idle_worker_ends_when_the_sweep_stops() -> None:
    first, second = GRID.runs()[:2]
    others = multiprocessing.active_children()
    parts = in_processes([[first], [second]], SETTINGS, 1)
    assert [run for run, _ in next(parts)] == [first]
    (worker,) = set(multiprocessing.active_children()) - set(others)
    parts.close()  # type: ignore[attr-defined]
    assert worker.exitcode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "blows"), [(1, {0.1: signal.SIGINT, 0.02: signal.SIGTERM}), (2, {0.1: signal.SIGINT})]
)
def test_a_stopped_sweep_resumes_with_the_same_command(
    tmp_path: Path, workers: int, blows: dict[float, signal.Signals]
) -> None:
    command = [
        "run", "quickstart", "--tier", "smoke", "--methods", "waiting", "--values", "0.5,0.1,0.05,0.02,0.01",
        "--results", str(tmp_path), "--plugin", str(waiting(tmp_path, *blows, step=4)),
    ]  # fmt: skip
    folder = tmp_path / "quickstart-smoke"
    before: list[dict[str, str]] = []
    for value, blow in blows.items():
        told = tmp_path / blow.name
        with started(*command, "--workers", str(workers), output=told) as process:
            wait_for((tmp_path / f"{value}.begun").exists, process)
            os.killpg(number_of(process), blow)
            process.join()
        assert process.exitcode == 130
        assert "the same command goes on" in told.read_text() and "Traceback" not in told.read_text()
        assert list(folder.glob("checkpoints/*.pt"))
        after = rows(folder) if (folder / "runs.csv").exists() else []
        assert after[: len(before)] == before and len(after) < 5
        before = after
    status, said = ended(*command, "--workers", "1", output=tmp_path / "last")
    assert status == 0, said
    after = rows(folder)
    assert after[: len(before)] == before
    assert len(after) == len({row["key"] for row in after}) == 5
    assert not (folder / "checkpoints").exists()


def test_a_stopped_sweep_restores_the_terminal(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "benchmark", "run", "quickstart", "--tier", "smoke", "--methods", "waiting",
        "--values", "0.1", "--workers", "1", "--results", str(tmp_path), "--plugin", str(waiting(tmp_path, 0.1)),
    ]  # fmt: skip
    ours, theirs = os.openpty()
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=os.environ | {"TERM": "xterm"}) as process:
        os.close(theirs)
        told, interrupted = b"", False
        with suppress(OSError):  # Linux's word for the end
            while part := os.read(ours, 4096):
                told += part
                # The bar is drawn several times a second.
                if b"running" in part and (tmp_path / "0.1.begun").exists() and not interrupted:
                    interrupted = True
                    process.send_signal(signal.SIGINT)
    os.close(ours)
    assert process.returncode == 130
    hidden, shown = told.rfind(b"\x1b[?25l"), told.rfind(b"\x1b[?25h")  # the cursor
    assert 0 <= hidden < shown < told.rfind(b"interrupted: ")
    assert b"running" in told[:shown] and b"running" not in told[shown:]  # no bar is left behind


def test_a_torn_row_is_repaired_and_its_run_is_repeated(tmp_path: Path) -> None:
    runs = GRID.runs()[:2]
    sweep("test", runs, tmp_path, SETTINGS, 1, QUIET)
    path = tmp_path / "runs.csv"
    path.write_bytes(path.read_bytes()[:-20])
    console = Console(record=True, width=500, quiet=False, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    assert sweep("test", runs, tmp_path, SETTINGS, 1, console) == {"ok": 1}
    assert "warning" in console.export_text() and (tmp_path / "runs.csv.torn").exists()
    console.file.close()
    assert [row["key"] for row in rows(tmp_path)] == [run.key for run in runs]


def test_results_are_plain_csv(tmp_path: Path) -> None:
    """The file is plain CSV: a header, and a line for each run."""
    sweep("test", GRID.runs()[:1], tmp_path, SETTINGS, 1, QUIET)
    with (tmp_path / "runs.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["task"] == "lenet300-digits" and float(row["compression"]) == 1
