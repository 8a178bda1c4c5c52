"""An interrupted run resumes from its checkpoint and ends with the same results."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.data.augmentation import Augmentation
from benchmark.data.split import Data
from benchmark.records.schema import COLUMNS, CURVE_COLUMNS, LAYER_COLUMNS
from benchmark.records.table import read
from benchmark.training import checkpoint
from benchmark.training.checkpoint import Checkpoint, keys_of
from benchmark.training.loop import OutOfTime, train
from methods.core.registry import parse
from tests.builders import TIMES, Dying, dropout_mlp, interrupted, toy_task, untimed
from tests.processes import STOPPED, ended, number_of, started, wait_for


def test_dropout_and_augmentation_resume_exactly(toy_data: Data, tmp_path: Path) -> None:
    task = toy_task(dropout_mlp, augmentation=Augmentation(shift=1, cutout=1))
    arguments = task, parse("dwf"), [1.0, 3.0], [0, 1], 3, 0.3, toy_data, "float32"
    whole = train(*arguments)
    resumed = interrupted(tmp_path, (7, 11, 30), *arguments)
    assert list(map(untimed, resumed)) == list(map(untimed, whole))


def test_a_pack_resumes_after_a_member_has_diverged(toy_data: Data, tmp_path: Path) -> None:
    arguments = toy_task(), parse("dwf"), [1.0, 1e9], [0, 0], 3, 0.3, toy_data, "float32"
    whole = train(*arguments)
    assert [result.measured.status for result in whole] == ["ok", "diverged"]
    assert list(map(untimed, interrupted(tmp_path, (45,), *arguments))) == list(map(untimed, whole))


def test_the_seconds_of_all_attempts_are_added(toy_data: Data, tmp_path: Path) -> None:
    arguments = toy_task(), parse("dense"), [1.0], [0], 2, 0.1, toy_data, "float32"
    with pytest.raises(OutOfTime, match=r"0\.001 s"):
        train(*arguments, checkpoint=Checkpoint(tmp_path, ["one"]), timeout=0.001)
    state = Checkpoint(tmp_path, ["one"]).load()
    assert state is not None and state["progress"]["seconds"] > 0.001  # what a longer timeout goes on from


def test_a_stop_signal_saves_a_checkpoint_and_ends_training(toy_data: Data, tmp_path: Path) -> None:
    arguments = toy_task(), parse("snip"), [0.5], [0], 2, 0.1, toy_data, "float32"
    stop = threading.Event()
    stop.set()
    with pytest.raises(KeyboardInterrupt):
        train(*arguments, checkpoint=Checkpoint(tmp_path, ["one"]), stop=stop)
    assert keys_of(Checkpoint(tmp_path, ["one"]).path) == ["one"]


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def foreign(path: Path) -> None:
    saved = torch.load(path, weights_only=True)
    torch.save(saved | {"keys": ["another"]}, path)


def older(path: Path) -> None:
    saved = torch.load(path, weights_only=True)
    torch.save(saved | {"format": saved["format"] - 1}, path)


def executable(path: Path) -> None:
    torch.save(
        {"format": checkpoint.FORMAT, "torch": str(torch.__version__), "keys": ["one"], "state": Path("code")}, path
    )


def test_a_run_resumes_on_another_kind_of_device(toy_data: Data, tmp_path: Path) -> None:
    """The state of the generator is meaningless on another device, so dropout starts from a new state."""
    arguments = toy_task(dropout_mlp), parse("snip"), [0.5], [0], 2, 0.1, toy_data, "float32"
    dying = Dying(tmp_path, ["one"])
    dying.moments = (5,)
    with pytest.raises(InterruptedError):
        train(*arguments, checkpoint=dying)
    saved = torch.load(dying.path, weights_only=True)
    assert set(saved["state"]["noise"]) == {"cpu"}
    saved["state"]["noise"] = {"cuda": torch.zeros(16, dtype=torch.uint8)}
    torch.save(saved, dying.path)
    last = Checkpoint(tmp_path, ["one"])
    (result,) = train(*arguments, checkpoint=last)
    assert last.warnings == [] and result.measured.status == "ok"


@pytest.mark.parametrize("spoil", [damage, foreign, older, executable])
def test_an_unusable_checkpoint_is_named_and_set_aside(spoil: Any, toy_data: Data, tmp_path: Path) -> None:
    arguments = toy_task(), parse("snip"), [0.5], [0], 2, 0.1, toy_data, "float32"
    dying = Dying(tmp_path, ["one"])
    dying.moments = (5,)
    with pytest.raises(InterruptedError):
        train(*arguments, checkpoint=dying)
    spoil(dying.path)
    spoilt = dying.path.read_bytes()
    anew = Checkpoint(tmp_path, ["one"])
    (result,) = train(*arguments, checkpoint=anew)
    assert untimed(result) == untimed(train(*arguments)[0])
    (warning,) = anew.warnings
    assert anew.path.name in warning and anew.path.with_suffix(".aside").read_bytes() == spoilt


def test_saving_takes_at_most_two_percent_of_the_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = 100.0
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now)
    kept = Checkpoint(tmp_path, ["one"])
    original = torch.save

    def slow(*arguments: Any) -> None:
        nonlocal now
        now += 3
        original(*arguments)

    monkeypatch.setattr(torch, "save", slow)
    now += 59
    assert not kept.due()
    now += 1
    assert kept.due()
    kept.save({})
    now += 149  # three seconds are two per cent of 150
    assert not kept.due()
    now += 1
    assert kept.due()


def test_a_checkpoint_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    kept = Checkpoint(tmp_path / "file", ["one"])
    kept.save({})
    assert "cannot be written" in kept.warnings[0]


PLUGIN = (
    STOPPED
    + """

from dataclasses import replace
from benchmark.training import checkpoint
from benchmark.data.augmentation import Augmentation
from benchmark.tasks.registry import get_task, task

asked = 0


def due(self):
    '''Save before every step; without a file `free`, wait for the end before step 40.'''
    global asked
    asked += 1
    if asked == 3:
        Path(__file__).with_name("begun").touch()
    while asked == 40 and not stopped() and not Path(__file__).with_name("free").exists():
        time.sleep(0.01)
    return True


checkpoint.Checkpoint.due = due


@task
def shifted_digits():
    '''Digits, augmented.'''
    return replace(get_task("lenet300-digits"), augmentation=Augmentation(shift=1, cutout=2))
"""
)


@pytest.mark.slow
def test_a_sweep_that_is_killed_repeatedly_has_the_same_results(tmp_path: Path) -> None:
    plugin, begun, free, told = (tmp_path / name for name in ("often.py", "begun", "free", "told"))
    plugin.write_text(PLUGIN)
    command = [
        "run", "quickstart", "--tasks", "shifted-digits", "--seeds", "0",
        "--methods", "snip,dwf,imp[rounds=1],rigl", "--values", "density=0.1", "--values", "strength=4",
        "--epochs", "2", "--workers", "1", "--plugin", str(plugin), "--results",
    ]  # fmt: skip
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    chance = random.Random(0)
    for blow in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT):
        with started(*command, str(killed), output=told) as process:
            wait_for(begun.exists, process)
            time.sleep(chance.random() / 10)  # so that the blow may meet a step or the writing of a file
            os.kill(number_of(process), blow)
            process.join()
        assert process.exitcode == {signal.SIGKILL: -9}.get(blow, 130)
        begun.unlink()
    free.touch()
    for folder in (killed, whole):
        status, said = ended(*command, str(folder), output=told)
        assert status == 0, said
    assert not (killed / "quickstart" / "checkpoints").exists()
    timed = {*TIMES, "finished_at"}
    names = ("key", "epoch", "metric", "layer")
    for file, columns in (("runs", COLUMNS), ("curves", CURVE_COLUMNS), ("layers", LAYER_COLUMNS)):
        one, other = (
            {  # the last of equal rows counts: a kill between two tables leaves rows whose run is trained again
                tuple(map(row.get, names)): {k: v for k, v in row.items() if k not in timed}
                for row in read(folder / f"quickstart/{file}.csv", columns)
            }
            for folder in (whole, killed)
        )
        assert list(one.items()) == list(other.items()), file
