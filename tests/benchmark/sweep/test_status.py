"""The status of a sweep, as another terminal prints it."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.records.schema import COLUMNS
from benchmark.records.table import append, read
from benchmark.sweep import invocation
from benchmark.sweep.folder import ResultsFolder
from benchmark.sweep.status import best
from tests.builders import sparsefront
from tests.processes import started, wait_for, waiting

ASKED = {"device": "cpu", "workers": 2, "planned": 9, "to_do": 6, "rows": {"before": 3, "written": 0}}

KEYS = itertools.count()


def row(method: str, accuracy: object, compression: object, status: str = "ok", **more: object) -> dict[str, str]:
    """Return a row as `read` returns it, with a new key."""
    cells: dict[str, object] = {"key": next(KEYS), "task": "lenet300-digits", "method": method, "status": status}
    cells |= {"val_accuracy": accuracy, "compression": compression} | more
    return {name: str(cells.get(name, "")) for name in COLUMNS}


def write(folder: Path, *rows: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    append(folder / "runs.csv", COLUMNS, [tuple(row.values()) for row in rows])


def status(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[str]:
    """Return the lines of `sparsefront status`."""
    assert sparsefront(monkeypatch, "status", folder.name, "--results", str(folder.parent)) == 0
    return capfd.readouterr().out.splitlines()


def test_the_best_run_and_the_compression_within_a_point_of_dense_are_found() -> None:
    rows = [
        row("dense", 97, 1),
        row("dense", 98, 1),  # 97.5 on average, so 96.5 is near
        row("snip", 97.2, 2),
        row("snip", 97.2, 4),
        row("snip", 96.5, 20),
        row("snip", 96.4, 50),
        row("dwf[depth=2]", 90, 500),
        row("dwf[depth=2]", "nan", "", status="diverged"),
        row("deadly", "", "", status="error"),
    ]
    told = best(rows, Path("runs.csv"))
    assert told[:3] == [
        ("lenet300-digits", "dense", 2, 98, 1, 1),
        ("lenet300-digits", "snip", 4, 97.2, 4, 20),
        ("lenet300-digits", "dwf[depth=2]", 2, 90, 500, pytest.approx(math.nan, nan_ok=True)),
    ]
    assert told[3][1:3] == ("deadly", 1) and all(map(math.isnan, told[3][3:]))


def test_without_dense_runs_the_point_is_below_the_best_run() -> None:
    rows = [row("snip", 95, 10), row("random", 94, 40), row("random", 93, 90), row("dense", 99, 1, task="other")]
    assert [line[5] for line in best(rows, Path("runs.csv"))] == [10, 40, 1]


def as_written(moment: str) -> str:
    return moment.replace("T", " ").replace("+00:00", " UTC")


def test_a_running_sweep_is_shown_with_the_time_left_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    write(folder, row("snip", 95, 10), row("snip", 96, 5), row("snip", "", "", status="error"))
    with ResultsFolder(folder).lock(), invocation.recorded(folder, **ASKED, seconds_left=100.0) as update:
        update(statuses={"ok": 3, "diverged": 1})
        (path,) = (folder / "invocations").iterdir()
        earlier = datetime.now(UTC) - timedelta(seconds=40)
        path.write_text(json.dumps(json.loads(path.read_text()) | {"updated": earlier.isoformat(timespec="seconds")}))
        told = status(capfd, monkeypatch, folder)
    start = json.loads(path.read_text())["start"]
    assert told[0] == f"mine: running since {as_written(start)}, 2 at a time on cpu"
    counts, _, rest = told[1].partition(" (2 running, 0:0")
    assert counts == "9 runs planned: 3 finished before, 4 done (0 failed), 2 left"  # 3 + 4 + 2 = 9
    assert rest[:4] in ("1:00", "0:59", "0:58")
    assert rest[4:] == f" left); as of {as_written(earlier.isoformat(timespec='seconds'))}"
    assert told[2:4] == ["3 runs in all: 2 ok, 1 failed (1 error)", "  1 failed (error): "]
    assert told[-1].split() == ["lenet300-digits", "snip", "3", "96.00", "5.0", "10.0"]


def test_the_status_says_how_a_sweep_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    write(folder, row("snip", 95, 10))
    assert status(capfd, monkeypatch, folder)[0] == "mine: no sweep is running"
    with ResultsFolder(folder).lock():
        assert status(capfd, monkeypatch, folder)[0] == "mine: a sweep is starting or ending"
    with invocation.recorded(folder, **ASKED, seconds_left=9.0) as update:
        update(statuses={"ok": 5})
        told = status(capfd, monkeypatch, folder)  # it never said that it ended, and nobody holds the folder
    assert told[0].startswith("mine: killed after 2") and told[1].startswith(
        "9 runs planned: 3 finished before, 5 done (0 failed), 1 left; as"
    )
    assert status(capfd, monkeypatch, folder)[0].startswith("mine: stopped at 2")
    with ResultsFolder(folder).lock():  # another sweep, which has not begun to compute
        told = status(capfd, monkeypatch, folder)
    assert told[0] == "mine: a sweep is starting or ending" and "5 done (0 failed), 1 left; " in told[1]
    with invocation.recorded(folder, **ASKED) as update:
        update(statuses={"ok": 5, "error": 1})
    told = status(capfd, monkeypatch, folder)
    assert told[0].startswith("mine: finished at 2") and "6 done (1 failed), 0 left; " in told[1]


def test_a_sweep_without_rows_has_a_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with ResultsFolder(tmp_path).lock():
        assert status(capfd, monkeypatch, tmp_path) == [f"{tmp_path.name}: a sweep is starting or ending"]
        with invocation.recorded(tmp_path, **ASKED):
            told = status(capfd, monkeypatch, tmp_path)
    assert len(told) == 2 and "0 done (0 failed), 6 left (2 running); " in told[1]


def test_a_repeated_run_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    failed = row("snip", "", "", status="error")
    write(tmp_path, failed)
    assert status(capfd, monkeypatch, tmp_path)[-1].split() == ["lenet300-digits", "snip", "1", "-", "-", "-"]
    write(tmp_path, failed | {"status": "ok", "val_accuracy": "95", "compression": "10"})
    told = status(capfd, monkeypatch, tmp_path)
    assert told[1] == "1 runs in all: 1 ok" and told[-1].split()[2:] == ["1", "95.00", "10.0", "10.0"]


def test_a_cell_without_a_number_is_an_error_of_one_sentence() -> None:
    with pytest.raises(UsageError, match="holds 'high' as val_accuracy of run"):
        best([row("snip", "high", 2)], Path("runs.csv"))


def test_the_status_of_many_rows_imports_no_torch(tmp_path: Path) -> None:
    rows = [row(f"dwf[depth={i % 8}]", 90 + i % 7, 1 + i % 100) for i in range(20_000)]
    write(tmp_path, *rows)
    code = (
        "import sys, time; from benchmark.cli import commands; "
        "begun = time.process_time();"
        "commands.app(sys.argv[1:], standalone_mode=False);"
        "print(time.process_time() - begun, 'torch._C' in sys.modules)"
    )
    arguments = ["status", tmp_path.name, "--results", str(tmp_path.parent)]
    told = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True).stdout
    assert "20000 runs in all" in told and told.count("dwf[depth=") == 8
    seconds, torch = told.split()[-2:]
    assert float(seconds) < 20 and torch == "False"


def test_another_process_sees_a_sweep_run_and_be_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    command = [
        "run", "quickstart", "--tier", "smoke", "--methods", "waiting", "--values", "0.5,0.1,0.05", "--workers", "1",
        "--results", str(tmp_path), "--plugin", str(waiting(tmp_path, 0.1)),
    ]  # fmt: skip
    folder = tmp_path / "quickstart-smoke"
    with started(*command, output=tmp_path / "told") as process:
        wait_for((tmp_path / "0.1.begun").exists, process)
        alive = status(capfd, monkeypatch, folder)
        process.kill()
        process.join()
    dead = status(capfd, monkeypatch, folder)
    assert alive[0].startswith("quickstart-smoke: running since ") and "1 running" in alive[1] and " left)" in alive[1]
    assert dead[0].startswith("quickstart-smoke: killed after ") and not any("running" in line for line in dead)
    (record,) = (folder / "invocations").glob("*.json")
    killed = json.loads(record.read_text())
    assert killed["end"] is None and len(read(folder / "runs.csv")) == 1 and killed["rows"]["written"] <= 1
