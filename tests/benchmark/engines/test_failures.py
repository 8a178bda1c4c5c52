"""Every failure is a row, other runs go on, and a failed run keeps what it trained."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.engines.packs import make_packs
from benchmark.errors import UsageError
from benchmark.experiments.run import Run
from benchmark.sweep.sweep import sweep
from benchmark.tasks.registry import task
from benchmark.tasks.task import Task
from benchmark.training.checkpoint import Checkpoint
from methods import register
from methods.dense import Dense
from tests.builders import QUIET, SETTINGS, rows, toy_task


class Odd(BaseException):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Liar(Exception):
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("no class")


class Nameless(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise RuntimeError("no name")


class Unnamed(Exception, metaclass=Nameless):
    pass


class Silent(Exception):
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("nothing to ask for")


RAISED = {
    "interrupt": KeyboardInterrupt(),
    "exit": SystemExit(0),
    "odd": Odd(),
    "generator": GeneratorExit(),
    "surrogate": ValueError("caf\udce9"),
    "long": ValueError("H" * 300_000),
    "time": TimeoutError("NFS"),
    "liar": Liar("no class"),
    "unnamed": Unnamed(),
    "silent": Silent(),
    "cause": BaseExceptionGroup("two", [Liar(), Odd()]),
}


@pytest.mark.parametrize("name", RAISED)
def test_whatever_a_method_raises_is_a_row(name: str, tmp_path: Path) -> None:
    @register("raising", knob="none")
    @dataclass
    class Raising(Dense):
        def update(self, lr: Any) -> None:
            raise RAISED[name]

    runs = [Run("lenet300-digits", method, 1, 0, 1, 0.1, synthetic=True) for method in ("raising", "dense")]
    with suppress(BaseException):  # pytest itself could not report some of these
        sweep("test", runs, tmp_path, SETTINGS, 1, QUIET)
    failed, other = rows(tmp_path)
    assert (failed["status"], other["status"]) == ("error", "ok")
    named = "an exception without a name" if name == "unnamed" else type(RAISED[name]).__name__
    assert failed["error"].startswith(named) and len(failed["error"]) < 3_000
    assert sweep("test", runs, tmp_path, SETTINGS, 1, QUIET) == {}


@pytest.mark.parametrize("fault", [ZeroDivisionError("in the loader"), SystemExit("in the loader")])
def test_a_loader_that_fails_concerns_its_own_task_alone(fault: BaseException, tmp_path: Path) -> None:
    def broken(folder: Path) -> None:
        raise fault

    @task
    def one() -> Task:
        """A task whose loader has a fault."""
        return toy_task(data=broken)

    @task
    def two() -> Task:
        """A task that works."""
        return toy_task()

    runs = [Run(name, "dense", 1, 0, 1, 0.1) for name in ("one", "two")]
    assert sweep("test", runs, tmp_path, SETTINGS, 1, QUIET) == {"error": 1, "ok": 1}
    assert rows(tmp_path)[0]["error"] == f"{type(fault).__name__}: in the loader"


@pytest.mark.parametrize("part", ["model", "forward"])
def test_a_task_that_ends_python_fails_in_rows_of_its_own_in_packs_too(part: str, tmp_path: Path) -> None:
    class Leaving(torch.nn.Linear):
        def __init__(self) -> None:
            super().__init__(16, 4)
            if part == "model":
                raise SystemExit(0)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise SystemExit(0)

    @task
    def leaving() -> Task:
        """A task that ends Python."""
        return toy_task(model=Leaving)

    runs = [Run("leaving", "snip", value, 0, 1, 0.1, synthetic=True) for value in (0.5, 0.2)]
    assert sweep("test", runs, tmp_path, replace(SETTINGS, pack=2), 1, QUIET) == {"error": 2}
    assert rows(tmp_path)[0]["error"].startswith("SystemExit")


def test_a_run_that_failed_goes_on_from_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Checkpoint, "due", lambda self: True)
    faults = [OSError(5, "Input/output error")]
    steps: list[int] = []

    @register("passing", knob="none")
    @dataclass
    class Passing(Dense):
        steps = 0
        state_names = ("steps",)

        def update(self, lr: Any) -> None:
            super().update(lr)
            self.steps += 1
            steps.append(self.steps)
            if self.steps == 9 and faults:
                raise faults.pop()

    runs = [Run("lenet300-digits", "passing", 1, 0, 1, 0.1, synthetic=True)]
    assert sweep("test", runs, tmp_path, SETTINGS, 1, QUIET) == {"error": 1}
    assert list(tmp_path.glob("checkpoints/*.pt")) and steps[-1] == 9
    assert sweep("test", runs, tmp_path, SETTINGS, 1, QUIET, retry=True) == {"ok": 1}
    assert steps[9] == 9  # the ninth step again, and not the first
    assert not (tmp_path / "checkpoints").exists()


def test_runs_with_a_checkpoint_form_packs_first_whatever_the_size(tmp_path: Path) -> None:
    settings = replace(SETTINGS, checkpoints=tmp_path)
    runs = [Run("lenet300-digits", "snip", value, 0, 1, 0.1, synthetic=True) for value in (0.5, 0.4, 0.3, 0.2, 0.1)]
    Checkpoint(tmp_path, [runs[3].key, runs[1].key, runs[2].key]).save({})
    for size, rest in ((1, [[runs[0]], [runs[4]]]), (2, [[runs[0], runs[4]]]), (5, [[runs[0], runs[4]]])):
        assert make_packs(runs, replace(settings, pack=size)) == [[runs[3], runs[1], runs[2]], *rest]
    others = [[run] for run in (runs[0], runs[1], runs[4])]  # not all runs of the checkpoint are to do
    assert make_packs([run for (run,) in others], replace(settings, pack=1)) == others


def test_a_checkpoint_that_does_not_fit_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("PytorchStreamWriter failed writing file: no space")

    monkeypatch.setattr("torch.save", full)
    checkpoint = Checkpoint(tmp_path, ["key"])
    checkpoint.save({})
    assert checkpoint.warnings and list(tmp_path.iterdir()) == []


def test_missing_data_still_ends_the_sweep_before_it_begins(tmp_path: Path) -> None:
    def missing(folder: Path) -> None:
        raise UsageError("there is no data")

    @task
    def lacking() -> Task:
        """A task without data."""
        return toy_task(data=missing)

    with pytest.raises(UsageError, match="there is no data"):
        sweep("test", [Run("lacking", "dense", 1, 0, 1, 0.1)], tmp_path / "new", SETTINGS, 1, QUIET)
    assert not (tmp_path / "new").exists()
