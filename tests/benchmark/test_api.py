"""The functions for notebooks return the results of the command line."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark import Experiment, Task, run_experiment, train_once
from benchmark.engines.settings import Settings
from benchmark.errors import UsageError
from benchmark.records.table import read
from methods import MethodError, load_plugin, parse, register
from methods.dense import Dense
from methods.random import Random
from plots import load
from tests.builders import sparsefront, toy_task

GRID = Experiment(
    tasks=("lenet300-digits",),
    methods=("dense", "magnitude"),
    values={"density": (0.1,)},
    seeds=(0,),
    epochs=1,
)


@pytest.fixture
def task() -> Task:
    return toy_task()


def test_a_task_and_a_method_of_your_own_are_trained_and_measured(task: Task) -> None:
    trained = train_once(task, parse("magnitude"), 0.25, epochs=1)
    assert trained.measurement.nonzeros == 60 and trained.measurement.status == "ok"  # of 16 x 12 + 12 x 4
    assert [(name, total) for name, _, total in trained.layers] == [("1.weight", 192), ("3.weight", 48)]
    assert sum(kept for _, kept, _ in trained.layers) == 60
    assert {epoch for epoch, _, _ in trained.curves} == {0, 1}


def test_epochs_learning_rate_and_seed_change_the_result(task: Task) -> None:
    losses = {
        train_once(task, "dense", **options).measurement.test_loss
        for options in ({}, {"epochs": 1}, {"learning_rate": 0.01}, {"seed": 1}, {"precision": "bf16"})
    }
    assert len(losses) == 5
    assert train_once(task, "dense").measurement.test_loss in losses


def test_train_once_gives_the_row_of_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", "quickstart", "--methods", "magnitude", "--values", "0.1", "--seeds", "3", "--epochs", "1"]
    assert sparsefront(monkeypatch, *arguments, "--results", str(tmp_path), "--workers", "1") == 0
    (row,) = read(tmp_path / "quickstart" / "runs.csv")
    trained = train_once("lenet300-digits", "magnitude", 0.1, seed=3, epochs=1)
    measured = asdict(trained.measurement)
    for name in ("steps", "nonzeros", "density", "val_accuracy", "test_accuracy", "test_loss"):
        assert float(row[name]) == pytest.approx(measured[name], rel=1e-6), name


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"task": "no-such-task"}, "tasks are"),
        ({"method": "no-such-method"}, "methods are"),
        ({"value": 2.0}, "density"),
        ({"epochs": 0}, "epochs must be"),
        ({"precision": "float16"}, "float32 or bf16"),
        ({"device": "tpu"}, "devices are"),
    ],
)
def test_bad_input_is_one_sentence_with_the_choices(options: dict[str, object], says: str) -> None:
    good = {"task": "lenet300-digits", "method": "magnitude", "value": 0.1, "synthetic": True, "epochs": 1}
    with pytest.raises((UsageError, MethodError), match=says):
        train_once(**(good | options))  # type: ignore[arg-type]


def test_an_experiment_runs_once_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_experiment(GRID, name="mine", results=str(tmp_path))
    assert folder == tmp_path / "mine" and "2 to do" in capsys.readouterr().out
    assert load(folder)["method"].tolist() == ["dense", "magnitude"]
    again = run_experiment(GRID, name="mine", results=tmp_path, quiet=True)
    assert again == folder and len(read(folder / "runs.csv")) == 2 and not capsys.readouterr().out


def test_an_experiment_of_your_own_needs_a_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a name"):
        run_experiment(GRID, results=tmp_path)
    with pytest.raises(UsageError, match="experiments are"):
        run_experiment("no-such-experiment", results=tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_facades_import_torch_and_plotting_libraries_only_on_demand() -> None:

    script = "import sys, benchmark, plots, methods; print({'torch', 'pandas', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_training_leaves_the_settings_of_torch_as_they_were(task: Task) -> None:

    torch.set_num_threads(2)
    try:
        train_once(task, "dense", epochs=1)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_a_script_that_workers_import_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(SystemExit, match=r"call run_experiment under `if __name__ == '__main__':`"):
        run_experiment("quickstart", results=tmp_path, workers=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lenet300-digits", "snip", "0.1"), "the density of snip must be a number, not '0.1'"),
        (("lenet300-digits", "snip", True), "the density of snip must be a number, not True"),
        (
            ("lenet300-digits", Dense),
            r"the method is <class 'methods.dense.Dense'>; give a written form, or an instance",
        ),
        ((None, "dense"), "the task is None; give a written form, or a Task"),
        ((toy_task(epochs=0), "dense"), "epochs of the task is 0, not a whole number >= 1"),
    ],
)
def test_arguments_of_another_type_are_one_sentence(arguments: Any, said: str) -> None:
    with pytest.raises((UsageError, MethodError), match=said):
        train_once(*arguments)


def test_workers_load_the_plugins_of_the_process_and_nothing_of_a_notebook(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text("")
    load_plugin(plugin)
    given: list[Settings] = []
    monkeypatch.setattr(
        "benchmark.sweep.sweep.sweep", lambda name, runs, folder, settings, *_, **__: given.append(settings)
    )
    grid = Experiment(tasks=("lenet300-digits",), methods=("noted", "dense"), values={"density": (0.5,)})

    @register("noted", knob="density")
    @dataclass
    class Noted(Random):
        """A method that a notebook defines."""

    run_experiment(grid, name="mine", results=tmp_path, workers=2)
    assert plugin in given[0].plugins
    monkeypatch.setattr(Noted, "__module__", "__main__")
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    with pytest.raises(UsageError, match="worker processes cannot import noted, which this notebook defines"):
        run_experiment(grid, name="mine", results=tmp_path, workers=2)
    run_experiment(grid, name="mine", results=tmp_path)
    assert len(given) == 2
