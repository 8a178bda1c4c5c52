"""The records of invocations: the command, the rows, the versions and the hardware of a sweep."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.engines.settings import Pack, Settings
from benchmark.experiments.run import Run
from benchmark.records.schema import Measurement, Status
from benchmark.records.table import read
from benchmark.sweep import invocation, sweep
from benchmark.sweep.status import overview
from benchmark.training.devices import cores
from benchmark.training.measure import Result
from tests.builders import ON_DEMAND, QUIET, ROOT, RUN_PATH, SETTINGS, SNIP_RUNS

ASKED = {"device": "cpu", "workers": 1, "planned": 1, "to_do": 1, "rows": {"before": 0, "written": 0}}


def files(folder: Path) -> list[dict[str, Any]]:
    """Return the records of a folder in their order, and check that it holds nothing else."""
    paths = sorted((folder / "invocations").iterdir())
    for path in paths:
        assert re.fullmatch(rf"\d{{8}}T\d{{6}}\.\d{{6}}Z-{os.getpid()}\.json", path.name)
    return [json.loads(path.read_text()) for path in paths]


def run(folder: Path, runs: list[Run]) -> None:
    sweep.sweep("test", runs, folder, SETTINGS, 1, QUIET)


def test_an_invocation_says_which_rows_it_wrote(tmp_path: Path) -> None:
    run(tmp_path, SNIP_RUNS[:1])
    run(tmp_path, SNIP_RUNS)
    first, second = files(tmp_path)
    assert (first["rows"], second["rows"]) == ({"before": 0, "written": 1}, {"before": 1, "written": 2})
    assert (first["planned"], first["to_do"], second["planned"], second["to_do"]) == (1, 1, 3, 2)
    assert (first["statuses"], second["statuses"]) == ({"ok": 1}, {"ok": 2})
    assert (second["device"], second["workers"], second["seconds_left"]) == ("cpu", 1, 0)
    (row, *later) = read(tmp_path / "runs.csv")
    for record, rows in ((first, [row]), (second, later)):
        assert len(rows) == record["rows"]["written"]
        assert all(record["start"] <= row["finished_at"] <= record["end"] for row in rows)
        assert {row["version"] for row in rows} == {record["packages"]["sparsefront"]}
        assert {row["torch"] for row in rows} == {record["packages"]["torch"]}
        commit = record["commit"] + "-dirty" * record["dirty"]
        assert {row["commit"] for row in rows} == {commit} == {invocation.commit()}
    assert datetime.fromisoformat(first["start"]).utcoffset() == timedelta(0)


def test_the_record_is_written_at_the_start_and_after_every_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def run_all(packs: list[Pack], settings: Settings, workers: int) -> Iterator[list[tuple[Run, Result]]]:
        for (run,) in packs:
            seen.extend(files(tmp_path))
            yield [(run, Result(Measurement(status=Status.ERROR, error="none")))]

    monkeypatch.setattr(sweep, "run_all", run_all)
    run(tmp_path, SNIP_RUNS)
    assert [(file["rows"]["written"], file["statuses"]) for file in seen] == [
        (0, {}),
        (1, {"error": 1}),
        (2, {"error": 2}),
    ]
    assert [file["end"] for file in seen] == [None] * 3
    (last,) = files(tmp_path)
    assert last["statuses"] == {"error": 3} and last["end"]


def test_an_interrupted_invocation_records_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_all(packs: list[Pack], settings: Settings, workers: int) -> Iterator[list[tuple[Run, Result]]]:
        yield [(packs[0][0], Result(Measurement(status=Status.ERROR)))]
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep, "run_all", run_all)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, SNIP_RUNS)
    (file,) = files(tmp_path)
    assert file["end"] and file["rows"]["written"] == 1 < file["to_do"]


def test_a_record_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*paths: Path) -> None:
        raise OSError("the disk is full")

    with invocation.recorded(tmp_path, **ASKED) as update:
        with monkeypatch.context() as patched, pytest.raises(OSError, match="full"):
            patched.setattr(Path, "replace", fail)
            update(statuses={"ok": 1})
        (path,) = (tmp_path / "invocations").glob("*.json")
        assert json.loads(path.read_text())["statuses"] == {}
    (file,) = files(tmp_path)
    assert file["end"]


def test_an_invocation_with_nothing_to_compute_leaves_no_record(tmp_path: Path) -> None:
    run(tmp_path, SNIP_RUNS[:1])
    run(tmp_path, SNIP_RUNS[:1])
    assert len(files(tmp_path)) == 1


def test_the_recorded_command_names_no_person_and_no_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/data")
    monkeypatch.setenv("LOGNAME", "data")
    monkeypatch.setattr(platform, "node", lambda: "host-7.example.org")
    arguments = ["run", "quickstart", "--methods", "dense,dwf[depth=4]", "--data", "/home/data/sets"]
    elsewhere = ["--results=/home/data", "--plugin", "/net/host-7/data/my_data.py", "--plugin", "/home/database/x.py"]
    monkeypatch.setattr(sys, "argv", ["/home/data/.venv/bin/sparsefront", *arguments, *elsewhere])
    with invocation.recorded(tmp_path, **ASKED):
        (file,) = files(tmp_path)
    assert file["command"] == (
        "sparsefront run quickstart --methods 'dense,dwf[depth=4]' --data ~/sets "
        "--results=~ --plugin /net/HOST/USER/my_data.py --plugin /home/database/x.py"
    )


def test_a_user_without_a_name_or_home_has_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("getpass.getuser", nobody)
    monkeypatch.setattr(Path, "home", nowhere)
    monkeypatch.setattr(sys, "argv", ["-m", "run", "quickstart"])
    with invocation.recorded(tmp_path, **ASKED):
        (file,) = files(tmp_path)
    assert file["command"] == "sparsefront run quickstart"


def test_the_record_has_the_versions_of_all_packages_of_the_run_path(tmp_path: Path) -> None:
    distributions = importlib.metadata.packages_distributions()
    modules = (RUN_PATH | ON_DEMAND) - {"benchmark", "methods"}
    named = {distributions[module][0] for module in modules if module in distributions} | {"sparsefront"}
    with invocation.recorded(tmp_path, **ASKED):
        (file,) = files(tmp_path)
    assert set(file["packages"]) == named | {"python"}
    assert (file["packages"]["python"], file["packages"]["torch"]) == (platform.python_version(), torch.__version__)
    assert all(file["packages"][name] == importlib.metadata.version(name) for name in named - {"torch"})


def test_the_record_names_cpu_memory_accelerators_and_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"Accelerator {index}")
    for device in ("cpu", "cuda:1", "mps"):
        with invocation.recorded(tmp_path, **ASKED | {"device": device}):
            pass
    on_cpu, on_cuda, on_mps = (file["hardware"] for file in files(tmp_path))
    assert on_cpu["accelerators"] == [] and on_mps["accelerators"] == ["mps"]
    assert on_cuda["accelerators"] == ["Accelerator 0", "Accelerator 1"]
    assert on_cpu["cores"] == cores() and 0.1 < on_cpu["memory_gib"] < 1e6
    assert len(on_cpu["cpu"]) > 2 and on_cpu["system"] == platform.platform()


def test_a_commit_is_dirty_if_code_was_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=n", "-c", "user.email=e"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    (tmp_path / "benchmark" / "sweep").mkdir(parents=True)
    (tmp_path / "methods").mkdir()
    code = tmp_path / "benchmark" / "sweep" / "invocation.py"
    code.write_text("")
    monkeypatch.setattr(invocation, "__file__", str(code))
    assert invocation.commit() == ""
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    head = git("rev-parse", "--short=12", "HEAD")
    assert invocation.commit() == head
    (tmp_path / "README").write_text("not code")
    assert invocation.commit() == head
    code.write_text("changed")
    assert invocation.commit() == f"{head}-dirty"
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "true")  # as for a checkout of another user
    assert invocation.commit() == f"{head}-dirty"
    with invocation.recorded(tmp_path, **ASKED):
        (file,) = files(tmp_path)
    assert (file["commit"], file["dirty"]) == (head, True)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert invocation.commit() == "unknown"


def test_the_latest_record_is_read_back(tmp_path: Path) -> None:
    assert invocation.latest(tmp_path) is None
    for device in ("cpu", "mps"):
        with invocation.recorded(tmp_path, **ASKED | {"device": device}):
            pass
    latest = invocation.latest(tmp_path)
    assert latest is not None and latest.device == "mps" and latest.end


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"start": "now"}', "[" * 100_000])
def test_an_unreadable_record_hides_no_earlier_one(content: str, tmp_path: Path) -> None:
    assert invocation.latest(tmp_path) is None
    with invocation.recorded(tmp_path, **ASKED):
        pass
    (tmp_path / "invocations" / "99991122T223000.000000Z-7.json").write_text(content)
    (tmp_path / "invocations" / "99991122T223000.000000Z-8.json").mkdir()
    latest = invocation.latest(tmp_path)
    assert latest is not None and latest.end


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("updated", "yesterday"),
        ("updated", "2026-01-01T00:00:00"),
        ("start", 5),
        ("statuses", {"lost": 1}),
        ("statuses", {"ok": "1"}),
        ("statuses", []),
        ("workers", None),
        ("planned", "7"),
        ("number", 0.5),
        ("seconds_left", 1e300),
        ("seconds_left", "soon"),
        ("end", 3),
        ("end", "soon"),
        ("end", "0001-01-01T00:00:00+23:00"),
    ],
)
def test_a_record_with_a_field_of_another_kind_is_passed_over(field: str, wrong: object, tmp_path: Path) -> None:
    for _ in range(2):
        with invocation.recorded(tmp_path, **ASKED):
            pass
    older, newer = files(tmp_path)
    path = max((tmp_path / "invocations").iterdir())
    path.write_text(json.dumps(newer | {field: wrong}))
    assert len(list(overview(tmp_path))) == 2  # a line on the sweep and one on its progress
    latest = invocation.latest(tmp_path)
    assert latest is not None and latest.number == older["number"] == 1


def test_the_last_invocation_is_the_latest_also_after_the_clock_went_back(tmp_path: Path) -> None:
    with invocation.recorded(tmp_path, **ASKED):
        pass
    (path,) = (tmp_path / "invocations").iterdir()
    record = json.loads(path.read_text()) | {"start": "9999-11-22T22:30:00+00:00"}
    path.unlink()
    path.with_name("99991122T223000.000000Z-7.json").write_text(json.dumps(record))  # a clock in the future names it so
    with invocation.recorded(tmp_path, **ASKED | {"device": "mps"}):
        latest = invocation.latest(tmp_path)
        assert latest is not None and (latest.device, latest.end, latest.number) == ("mps", None, 2)


def test_no_published_record_names_a_home_folder() -> None:
    for path in ROOT.glob("results/reference/*/invocations/*.json"):
        assert not re.search(r"/home/|/Users/|/root/", path.read_text()), path
