"""The command line: invalid input, exit statuses, and plugins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.records.schema import COLUMNS
from tests.builders import sparsefront


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "quickstrat"], "quickstart"),
        (["plan", "quickstrat"], "quickstart"),
        (["run", "quickstart", "--tasks", "lenet300-cifar"], "lenet300-digits"),
        (["run", "quickstart", "--methods", "dwff"], "dwf"),
        (["run", "quickstart", "--methods", "dwf[dept=3]"], "depth"),
        (["run", "quickstart", "--methods", "dwf[depth=0]"], ">= 1"),
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
        (["status"], "Missing argument"),
        (["report", "quickstart"], "runs.csv"),
        (["report"], "no results"),
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


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "columns"), ("a,b\n1,2\n", "unknown: a, b"), (",".join(COLUMNS) + "\nabc,quick", "torn")],
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
    options = ["--methods", "fails,dense", "--values", "0.5", "--seeds", "0", "--tier", "smoke", "--workers", "1"]
    where = ["--results", str(tmp_path), "--plugin", str(plugin)]
    assert sparsefront(monkeypatch, "run", "quickstart", *options, *where) == 1
    told = capfd.readouterr().out
    assert "1 error, 1 ok" in told and "OSError: no" in told


def test_a_plan_has_runs_and_time(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ["plan", "quickstart", "--methods", "dense,snip", "--values", "0.1,0.2", "--results", str(tmp_path)]
    assert sparsefront(monkeypatch, *arguments) == 0
    told = capfd.readouterr().out
    assert "9 runs, 0 finished before, 9 to do" in told and "about 0:0" in told
    assert list(tmp_path.iterdir()) == []


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


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_plugin_adds_methods_and_tasks(workers: str, tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(PLUGIN)
    program = [sys.executable, "-m", "benchmark"]
    listed = subprocess.run(
        [*program, "list", "methods", "--plugin", plugin], capture_output=True, text=True, check=True
    ).stdout
    assert "first-come" in listed and "Keep the weights that come first." in listed
    options = ["--tasks", "my-digits", "--methods", "first-come", "--values", "0.5,0.25", "--seeds", "0"]
    settings = ["--plugin", str(plugin), "--results", str(tmp_path), "--workers", workers]
    subprocess.run([*program, "run", "quickstart", *options, *settings], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*program, "report", "quickstart", "--results", tmp_path], check=True, stdout=subprocess.DEVNULL)
    assert "first-come" in (tmp_path / "quickstart" / "leaderboard.md").read_text()
