"""`sparsefront check` reports for each promise whether a user's method or task keeps it, and the reason if not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmark.cli import commands
from benchmark.contract.check import check_method
from benchmark.contract.mask_promises import counts_exactly_for_any_scores, keeps_pruned_weights_at_zero
from benchmark.contract.method_promises import (
    counts_what_it_promises,
    gives_in_a_pack_what_it_gives_alone,
    spends_the_steps_of_its_phases,
)
from benchmark.contract.promise import BrokenPromise
from benchmark.contract.resumption import resumes_bit_for_bit
from benchmark.contract.stage import mlp, results
from benchmark.contract.task_promises import PROMISES as TASK_PROMISES
from methods import load_plugin

START = """
from dataclasses import dataclass

import torch
from torch import nn

from benchmark import Task, task
from benchmark.data.in_memory import digits
from methods import Masked, Method, register

TASK = dict(data=digits, shape=(1, 8, 8), classes=10, examples=1293, epochs=3, batch_size=64, learning_rate=0.1)
"""
GOOD = """
@register("good", knob="density")
@dataclass
class Good(Masked):
    "Keep the largest weights."

    def setup(self, net, probe):
        super().setup(net, probe)
        self.prune_to(net.weights.abs())

@task
def good_task():
    "A perceptron."
    return Task(model=lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), **TASK)
"""
LEAKY = """
@register("leaky", knob="density")
@dataclass
class Leaky(Masked):
    "Prunes, and trains the pruned weights all the same."

    def setup(self, net, probe):
        super().setup(net, probe)
        self.prune_to(net.weights.abs())

    def update(self, lr):
        Method.update(self, lr)
"""
FORGETFUL = """
@register("forgetful", knob="none")
@dataclass
class Forgetful(Method):
    "Slows down with a count that no checkpoint holds."

    def setup(self, net, probe):
        super().setup(net, probe)
        self.seen = {0}

    def update(self, lr):
        self.seen.add(len(self.seen))
        super().update(lr / len(self.seen))
"""
GREEDY = """
@register("greedy", knob="density")
@dataclass
class Greedy(Method):
    "Keeps one weight too many, by a threshold that ties pass."

    def finish(self):
        smallest = self.net.weights.abs().sort(1).values
        kept = (self.value * smallest.shape[1]).round().long()
        bounds = smallest.gather(1, (smallest.shape[1] - kept - 1).clamp(min=0))
        self.net.weights.masked_fill_(self.net.weights.abs() < bounds, 0)
"""
BAD_TASKS = """
@task
def wrong_classes():
    "Seven outputs for ten classes."
    return Task(model=lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 7)), **TASK)

@task
def no_layer():
    "Nothing to prune."
    return Task(model=lambda: nn.Flatten(), **TASK)

@task
def frozen():
    "A network that ignores the seed."
    def model():
        layer = nn.Linear(64, 10)
        nn.init.constant_(layer.weight, 0.01)
        return nn.Sequential(nn.Flatten(), layer)
    return Task(model=model, **TASK)

@task
def no_recipe():
    "Trains for no epoch."
    own = TASK | {"epochs": 0}
    return Task(model=lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), **own)
"""


def plugin(folder: Path, *parts: str) -> Path:
    path = folder / "mine.py"
    path.write_text("".join([START, *parts]))
    return path


def sparsefront_check(path: Path, monkeypatch: pytest.MonkeyPatch) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["sparsefront", "check", str(path)])
    with pytest.raises(SystemExit) as ended:
        commands.main()
    return ended.value.code


def test_a_good_method_and_task_hold_all_promises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not sparsefront_check(plugin(tmp_path, GOOD), monkeypatch)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 16 and all(line.startswith("ok      ") for line in lines)
    assert "ok      good: pruned weights are zero after every step" in lines
    assert "ok      good-task: the recipe is complete and in range" in lines


def test_a_broken_task_is_reported_with_the_reason_and_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sparsefront_check(plugin(tmp_path, BAD_TASKS), monkeypatch) == 1
    out = capsys.readouterr().out
    failed = [line for line in out.splitlines() if line.startswith("FAILED")]
    for line in (
        "FAILED  wrong-classes: the network maps inputs of its shape to its classes; it does not hold because "
        "two inputs give an output of shape (2, 7), not (2, 10)",
        "FAILED  frozen: the network's weights follow from the seed; it does not hold because "
        "two seeds give networks with the same weights",
        "FAILED  no-recipe: the recipe is complete and in range; it does not hold because "
        "epochs of task no-recipe is 0, not a whole number >= 1",
    ):
        assert line in failed
    assert any(line.startswith("FAILED  no-layer: the network builds") for line in failed)
    assert out.splitlines()[-1] == f"{len(failed)} promises do not hold"
    assert "ok      frozen: the recipe is complete and in range" in out


def test_a_leaky_mask_is_found_at_the_step_and_at_the_end(tmp_path: Path) -> None:
    load_plugin(plugin(tmp_path, LEAKY))
    with pytest.raises(BrokenPromise, match="pruned weights are not zero after a step"):
        keeps_pruned_weights_at_zero("leaky", mlp)
    with pytest.raises(BrokenPromise, match=r"at density 0\.5 it leaves 2.. weights, not 120"):
        counts_what_it_promises("leaky", mlp)
    (result,) = results("leaky", mlp, [0.5])  # its row says so, too
    row = result.measured
    assert row.warning == f"{row.nonzeros} of 240 weights are left, though the density asks for 120"


def test_state_that_no_checkpoint_holds_is_found(tmp_path: Path) -> None:
    load_plugin(plugin(tmp_path, FORGETFUL))
    with pytest.raises(Exception, match=r"after an interruption|state|seen"):
        resumes_bit_for_bit("forgetful", mlp)


ALONE = """
@register("alone", knob="density")
@dataclass
class Alone(Masked):
    "Trains one run at a time."

    packs = False

    def setup(self, net, probe):
        super().setup(net, probe)
        assert net.runs == 1
        self.prune_to(net.weights.abs())
"""


def test_runs_that_cannot_be_a_pack_are_checked_one_by_one(tmp_path: Path) -> None:
    load_plugin(plugin(tmp_path, ALONE))
    counts_what_it_promises("alone", mlp)
    counts_what_it_promises("imp[rounds=0]", mlp)  # takes more budgets to smaller densities
    gives_in_a_pack_what_it_gives_alone("imp[rounds=0]", mlp)


def test_counts_that_ties_change_are_found(tmp_path: Path) -> None:
    load_plugin(plugin(tmp_path, GREEDY))
    with pytest.raises(BrokenPromise, match="it leaves 121 weights, not 120"):
        counts_what_it_promises("greedy", mlp)
    with pytest.raises(BrokenPromise, match="it keeps 240 weights, not 24, if all scores are equal"):
        counts_exactly_for_any_scores("greedy", mlp)


def test_an_exception_of_the_users_code_is_the_reason(tmp_path: Path) -> None:
    path = plugin(tmp_path, GOOD.replace("self.prune_to(net.weights.abs())", "self.no_such_thing"))
    load_plugin(path)
    findings = list(check_method("good"))
    line = 1 + path.read_text().splitlines().index("        self.no_such_thing")
    said = f"AttributeError: 'Good' object has no attribute 'no_such_thing' ({path}, line {line})"
    assert said in findings[1].reason


def test_other_numbers_of_steps_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.contract.method_promises.STEPS_PER_EPOCH", 19)
    with pytest.raises(BrokenPromise, match="it took 100 steps, not 95"):
        spends_the_steps_of_its_phases("dense", mlp)


@pytest.mark.parametrize(
    ("text", "says"),
    [(None, "there is no plugin"), ("x = 1", "registers no method and no task"), ("import nothing_there", "not load")],
)
def test_a_file_without_anything_to_check_ends_with_status_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str | None,
    says: str,
) -> None:
    path = tmp_path / "empty.py"
    if text is not None:
        path.write_text(text)
    assert sparsefront_check(path, monkeypatch) == 2
    assert says in capsys.readouterr().err


def test_the_tasks_of_the_suite_keep_their_promises() -> None:
    for promise in TASK_PROMISES.values():
        promise("lenet300-digits")
