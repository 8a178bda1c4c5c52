"""The command line: invalid input, exit statuses, and plugins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from benchmark.cli import running
from benchmark.engines import packs
from benchmark.experiments import registry
from benchmark.experiments.experiment import Experiment
from benchmark.records.schema import COLUMNS
from benchmark.records.table import read
from tests.builders import ROOT, sparsefront


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "quickstrat"], "quickstart"),
        (["plan", "quickstrat"], "quickstart"),
        (["run", "quickstart", "--tasks", "lenet300-cifar"], "lenet300-digits"),
        (["run", "quickstart", "--tasks", "lenet300-mnist[width=0.5"], "lenet300-mnist[width=0.5"),
        (["run", "quickstart", "--tasks", "lenet300-mnist[height=2]"], "width"),
        (["run", "quickstart", "--tasks", "lenet300-mnist[width=0.1,width=0.5]"], "twice"),
        (["run", "quickstart", "--tasks", "lenet300-mnist[width=wide]"], "number"),
        (["plan", "quickstart", "--tasks", "lenet300-mnist[width]"], "name[option=value"),
        (["run", "quickstart", "--methods", "dwff"], "dwf"),
        (["run", "quickstart", "--methods", "dwf[dept=3]"], "depth"),
        (["run", "quickstart", "--methods", "dwf[depth=0]"], "a whole number in [1, 100]"),
        (["run", "quickstart", "--methods", "dwf[depth=two]"], "whole number"),
        (["run", "quickstart", "--methods", ""], "at least one method"),
        (["run", "quickstart", "--methods", "snip", "--values", "0"], "(0, 1]"),
        (["run", "quickstart", "--methods", "snip", "--values", "1.5"], "(0, 1]"),
        (["run", "quickstart", "--methods", "snip", "--values", "half"], "numbers"),
        (["run", "quickstart", "--methods", "dwf", "--values", "-3"], ">= 0"),
        (["run", "quickstart", "--values", "0.1"], "--values density="),
        (["run", "quickstart", "--values", "sparsity=0.1"], "--values density="),
        (["run", "quickstart", "--epochs", "0"], "epochs"),
        (["run", "quickstart", "--seeds", "-1"], "whole numbers from 0"),
        (["run", "quickstart", "--seeds", "one"], "whole numbers from 0"),
        (["run", "quickstart", "--seeds", "99999999999999999999"], "whole numbers from 0"),
        (["run", "quickstart", "--workers", "0"], ">= 1"),
        (["run", "quickstart", "--device", "cuda:7"], "devices are cpu"),
        (["run", "quickstart", "--device", "gpu"], "devices are cpu"),
        (["run", "quickstart", "--precision", "fp8"], "bf16"),
        (["run", "quickstart", "--engine", "ray", "--device", "cuda:1"], "cpu or cuda"),
        (["run", "quickstart", "--engine", "ray", "--device", "cuda", "--precision", "auto"], "devices are cpu"),
        (["run", "quickstart", "--plugin", "no-such-file.py"], "plugin"),
        (["list", "models"], "experiments"),
        (["status", "quickstart"], "runs.csv"),
        (["run"], "Missing argument"),
        (["report", "quickstart"], "runs.csv"),
        (["report"], "no results"),
        (["report", "--methods", ","], "leave them out to show all"),
        (["--nonsense"], "nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_sentence_status_2_and_no_file(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert sparsefront(monkeypatch, *arguments) == 2
    told = capfd.readouterr().err
    assert said in told and "Traceback" not in told
    assert list(tmp_path.iterdir()) == []


def test_unwritable_results_are_an_error_before_any_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "results"
    blocked.write_text("a file where the folder should be")
    arguments = ["run", "quickstart", "--tier", "smoke", "--results", str(blocked)]
    assert sparsefront(monkeypatch, *arguments) == 2
    assert "cannot be written" in capfd.readouterr().err
    assert blocked.read_text().startswith("a file")


def test_an_empty_path_is_not_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert sparsefront(monkeypatch, "run", "quickstart", "--tier", "smoke", "--results", "") == 2
    assert "'--results': a path is empty" in " ".join(capfd.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "is empty; delete it"), ("a,b\n1,2\n", "unknown: a, b"), (",".join(COLUMNS) + "\nabc,quick", "torn")],
    ids=["empty", "foreign", "torn"],
)
def test_an_unreadable_table_is_not_changed(
    content: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "results" / "quickstart" / "runs.csv"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    monkeypatch.chdir(tmp_path)
    for reader in ("status", "report"):
        assert sparsefront(monkeypatch, reader, "quickstart") == 2
        assert said in capfd.readouterr().err
    assert path.read_text() == content and list(path.parent.iterdir()) == [path]


def test_a_foreign_table_is_not_appended_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "quickstart-smoke" / "runs.csv"
    path.parent.mkdir()
    path.write_text("a,b\n1,2\n")
    assert sparsefront(monkeypatch, "run", "quickstart", "--tier", "smoke", "--results", str(tmp_path)) == 2
    assert path.read_text() == "a,b\n1,2\n" and list(path.parent.iterdir()) == [path]


def test_failed_runs_end_with_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    plugin = tmp_path / "failing.py"
    plugin.write_text(PLUGIN.replace("super().setup(net, probe)", "raise OSError('no')").replace("first-come", "fails"))
    options = ["--methods", "fails,dense", "--values", "0.5,0.4", "--seeds", "0", "--tier", "smoke", "--workers", "1"]
    where = ["--results", str(tmp_path), "--plugin", str(plugin)]
    assert sparsefront(monkeypatch, "run", "quickstart", *options, *where) == 1
    told = capfd.readouterr().out
    assert "1 ok, 2 failed (2 error)" in told
    assert all(f"fails density {value} seed 0: error, OSError: no" in told for value in (0.5, 0.4))
    assert told.count("Traceback") == 1  # both runs have the same
    assert sparsefront(monkeypatch, "run", "quickstart", *options, *where) == 1  # the failures are still there
    assert "2 of the finished failed, --retry failed" in capfd.readouterr().out
    options[1:4] = ["dense"]  # its run did not fail
    assert sparsefront(monkeypatch, "run", "quickstart", *options, *where) == 0


def test_an_interrupt_that_a_library_turns_into_another_error_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def torn(*asked: object) -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise RecursionError("maximum recursion depth exceeded")

    monkeypatch.setattr("benchmark.sweep.estimate.train", torn)
    before = signal.getsignal(signal.SIGINT)
    assert sparsefront(monkeypatch, "plan", "quickstart", "--results", str(tmp_path)) == 130
    assert capfd.readouterr().err == "" and signal.getsignal(signal.SIGINT) is before


FIRST_LINE = """
import sys
from benchmark.cli import commands, running

def say(text, **_):
    print(text, "torch" in sys.modules)
    raise SystemExit

running.console.print = say
for command in ("plan", "run"):
    sys.argv = ["sparsefront", command, "quickstart"]
    try:
        commands.main()
    except SystemExit:
        pass
"""


def test_the_first_line_of_plan_and_run_waits_for_no_torch(tmp_path: Path) -> None:
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    ran = subprocess.run(
        [sys.executable, "-c", FIRST_LINE], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "quickstart: looking for finished runs in results/quickstart False\n" * 2


def test_a_report_leaves_the_backend_of_a_notebook(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    assert sparsefront(monkeypatch, "report", "quickstart", "--results", str(tmp_path)) == 2
    assert os.environ["MPLBACKEND"] == "agg"


def test_a_plan_has_runs_and_time(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ["plan", "quickstart", "--methods", "dense,snip", "--values", "0.1,0.2", "--results", str(tmp_path)]
    assert sparsefront(monkeypatch, *arguments) == 0
    told = capfd.readouterr().out
    assert "9 runs, 0 finished before, 9 to do" in told and "about 0:0" in told and "not timed" not in told
    assert list(tmp_path.iterdir()) == []
    for expected, said in (((60.0, 2), "2 methods were not timed"), ((None, 3), "no estimate")):
        monkeypatch.setattr("benchmark.sweep.estimate.expected_seconds", lambda *_, found=expected: found)
        assert sparsefront(monkeypatch, *arguments) == 0
        assert said in capfd.readouterr().out


PLUGIN = '''
from dataclasses import dataclass
from functools import partial

from benchmark import Task, models, task
from benchmark.data.in_memory import digits
from methods import Masked, register


@register("first-come", knob="density")
@dataclass
class FirstCome(Masked):
    """Keep the weights that come first."""

    def setup(self, net, probe):
        super().setup(net, probe)
        self.prune_to(-net.weights.new_tensor(range(net.weights.shape[1])).expand_as(net.weights))


@task
def my_digits():
    """Digits on my own network."""
    return Task(
        model=partial(models.lenet300, 64, 10), data=digits, shape=(1, 8, 8), classes=10,
        examples=1_293, epochs=1, batch_size=32, learning_rate=0.1,
    )
'''


def test_every_worker_loads_a_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One process loads plugins in the tests of the README and of the page on extending."""
    plugin = tmp_path / "mine.py"
    plugin.write_text(PLUGIN)
    options = ["--tasks", "my-digits", "--methods", "first-come", "--values", "0.5,0.25", "--seeds", "0"]
    settings = ["--plugin", str(plugin), "--results", str(tmp_path), "--workers", "2"]
    assert sparsefront(monkeypatch, "run", "quickstart", *options, *settings) == 0
    assert capfd.readouterr().out.endswith(f"next: sparsefront report quickstart --results {tmp_path}\n")
    assert sparsefront(monkeypatch, "report", "quickstart", "--results", str(tmp_path)) == 0
    assert "first-come" in (tmp_path / "quickstart" / "leaderboard.md").read_text()


EXPERIMENT = '''
from benchmark import Experiment, experiment


@experiment
def small_digits():
    """Three methods on digits."""
    return Experiment(
        tasks=("lenet300-digits",), methods=("dense", "snip", "dwf[depth=2]"),
        values={"density": (0.5, 0.2, 0.1), "strength": (2.0, 3.0, 4.0)},
    )
'''


def test_a_sweep_that_is_done_is_read_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    command = ["run", "quickstart", "--tier", "smoke", "--methods", "dense", "--seeds", "0", "--results", str(tmp_path)]
    assert sparsefront(monkeypatch, *command, "--workers", "1") == 0
    found: list[Path] = []

    def counted(path: Path, **only: Any) -> list[dict[str, str]]:
        found.append(path)
        return read(path, **only)

    monkeypatch.setattr("benchmark.sweep.folder.read", counted)
    assert sparsefront(monkeypatch, *command) == 0
    assert len(found) == 1


@pytest.mark.slow
def test_the_console_script_runs_the_experiment_of_a_plugin_on_two_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The smoke tier has one seed and both ends of each sweep: 1 + 2 + 2 runs."""
    plugin = tmp_path / "mine.py"
    plugin.write_text(EXPERIMENT)
    script = str(Path(sys.executable).with_name("sparsefront"))

    def output(*arguments: str) -> str:
        assert sparsefront(monkeypatch, *arguments) == 0
        return capfd.readouterr().out

    where = ["--results", str(tmp_path / "results")]
    assert "Three methods on digits." in output("list", "experiments", "--plugin", str(plugin))
    command = ["run", "small-digits", "--plugin", str(plugin), "--tier", "smoke", "--workers", "2", *where]
    ran = subprocess.run([script, *command], capture_output=True, text=True, check=True)
    assert "small-digits-smoke: 5 ok" in ran.stdout
    assert "5 finished before, 0 to do" in output(*command)
    rows = read(tmp_path / "results" / "small-digits-smoke" / "runs.csv")
    assert len(rows) == 5 and {(row["status"], row["synthetic"]) for row in rows} == {("ok", "true")}
    assert "5 runs in all: 5 ok" in output("status", "small-digits-smoke", *where)
    assert "leaderboard.md" in output("report", "small-digits-smoke", *where)


def test_smoke_runs_and_reports_every_experiment_and_stops_at_a_failure(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def small(method: str) -> Callable[[], Experiment]:
        values = {"density": (0.5, 0.1), "strength": (2.0,)}
        return lambda: Experiment(tasks=("lenet300-digits",), methods=(method,), values=values)

    kept = {"first": small("snip"), "second": small("dense")}
    monkeypatch.setattr(running, "EXPERIMENTS", kept)
    monkeypatch.setattr(registry, "EXPERIMENTS", kept)
    assert sparsefront(monkeypatch, "smoke") == 0
    assert capfd.readouterr().out.split() == ["smoke", "first", "smoke", "second"]

    def fail(*arguments: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(packs, "train", fail)
    monkeypatch.setattr(running, "workers_on", lambda *asked: 1)
    assert sparsefront(monkeypatch, "smoke") == 1
    shown = capfd.readouterr().out
    assert "out of luck" in shown and "smoke second" not in shown
    assert list(tmp_path.glob("tmp*")) == []


def test_make_names_the_experiments_instead_of_building_anything_for_a_typo() -> None:
    answer = subprocess.run(["make", "quickstrat"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 2 and "no target or experiment 'quickstrat'" in answer.stderr
    named = answer.stderr.partition("experiments are ")[2].partition("\n")[0].split()
    assert named == sorted(registry.EXPERIMENTS)
