"""The key of a run: one computation has one key, and only a different computation has another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from benchmark.data.augmentation import Augmentation
from benchmark.errors import UsageError
from benchmark.experiments.run import HASHED, Run, hashed_form, stale_keys
from benchmark.records.schema import COLUMNS, DEFAULTS
from benchmark.tasks.registry import TASKS, get_task
from methods.core.optimizers import Adam, Sgd
from methods.core.registry import METHODS, MethodError, first_written_form, parse

BASE = Run("lenet300-mnist", "dwf[depth=3]", 6.0, 0, 40, 0.2)


def test_keys_of_old_runs_never_change() -> None:
    """If a key changes, every user's finished runs are computed again."""
    golden = {
        Run("lenet300-digits", "dwf[depth=3]", 6.0, 0, 40, 0.2): "b62493a2e50c",  # version 2
        Run("lenet300-digits", "snip", 0.1, 2, 40, 0.1, precision="bf16"): "8d1170d56818",
        Run("lenet300-digits", "dense", 1.0, 0, 40, 0.2): "09f5baebff94",
        Run("lenet300-fmnist", "dwf[depth=3]", 7.0, 2, 30, 0.8): "ae809e7abc22",  # version 2
        Run("lenet300-fmnist", "imp[rounds=3]", 0.05, 1, 30, 0.1, "bf16"): "a76b819b1bef",
        Run("resnet18-cifar10", "rigl", 0.01, 0, 160, 0.1): "91943416a7f3",  # version 2
        Run("lenet300-mnist", "control[mask=snip,kind=shuffle]", 0.1, 0, 2, 0.1): "0decbaad1d3f",
        Run("lenet300-mnist", "control[mask=snip[iterations=2],kind=shuffle]", 0.1, 0, 2, 0.1): "e91510c5ce8e",  # v. 2
        Run("lenet5-mnist", "snip[iterations=100]", 0.002, 0, 2, 0.1, synthetic=True): "72078ea74d5d",  # version 2
    }
    assert {run: run.key for run in golden} == golden


@pytest.mark.parametrize(
    "other",
    [
        Run("lenet300-mnist[width=1]", "dwf[depth=3]", 6.0, 0, 40, 0.2),
        Run("lenet300-mnist[width=1.0]", "dwf", 6, 0, 40, 0.2),
        Run(" lenet300-mnist", "dwf[ threshold=0.000000119 ]", 6.0, 0, 40, 0.2, "float32", False),
    ],
)
def test_one_computation_has_one_key(other: Run) -> None:
    assert other == BASE
    assert other.key == BASE.key


def test_a_wrong_written_form_makes_no_run() -> None:
    with pytest.raises(UsageError, match="does not close its bracket"):
        replace(BASE, task="lenet300-mnist[width=0.1")
    with pytest.raises(MethodError, match="no option"):
        replace(BASE, method="dwf[width=2]")


def test_optimizers_and_augmentations_are_hashed_as_when_the_first_rows_were_made() -> None:
    assert hashed_form(Sgd()) == "Sgd(momentum=0.9, nesterov=False)"
    assert hashed_form(Adam()) == "Adam(betas=(0.9, 0.999), epsilon=1e-08)"
    assert hashed_form(Augmentation(shift=8)) == "Augmentation(shift=8, flip=True, cutout=0)"
    assert hashed_form(None) == "None"


@dataclass(frozen=True)
class StochasticGradientDescent:
    """The optimizer under another name, with a new field."""

    momentum: float = 0.9
    dampening: float = 0.0
    nesterov: bool = False


def test_a_renamed_class_and_a_new_field_at_its_default_move_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HASHED, StochasticGradientDescent, HASHED[Sgd])
    assert hashed_form(StochasticGradientDescent()) == hashed_form(Sgd())
    assert hashed_form(StochasticGradientDescent(momentum=0.5)) == hashed_form(Sgd(0.5))
    changed = hashed_form(StochasticGradientDescent(dampening=0.1))
    assert changed == "Sgd(momentum=0.9, nesterov=False, dampening=0.1)"


def test_an_unknown_optimizer_is_hashed_by_its_name_and_all_its_fields() -> None:
    assert hashed_form(StochasticGradientDescent()) == (
        "StochasticGradientDescent(momentum=0.9, dampening=0.0, nesterov=False)"
    )

    @dataclass(frozen=True)
    class Tuned(Sgd):
        """A subclass steps differently, so it must not share a key."""

    assert hashed_form(Tuned()) == "Tuned(momentum=0.9, nesterov=False)"


def test_a_renamed_option_moves_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Run("lenet300-mnist", "snip[batches=2]", 0.1, 0, 40, 0.2).key
    monkeypatch.setattr(METHODS["snip"], "renamed", {"passes": "batches"}, raising=False)
    assert str(parse("snip[passes=2]")) == "snip[batches=2]"
    assert first_written_form(parse("snip[batches=2]")) == "snip[passes=2]"
    assert first_written_form(parse("ham[mask=snip[batches=2]]")) == "ham[mask=snip[passes=2]]"
    new, old = (Run("lenet300-mnist", f"snip[{name}=2]", 0.1, 0, 40, 0.2) for name in ("batches", "passes"))
    assert new == old and new.key == old.key != before  # before: the name "batches" was the first one
    with pytest.raises(MethodError, match="given option batches twice"):
        parse("snip[passes=2,batches=2]")


def test_numbers_of_a_recipe_have_one_key_however_they_are_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    task = get_task("lenet300-mnist")
    keys = set()
    for zero in (0, 0.0):
        monkeypatch.setitem(TASKS, "lenet300-mnist", lambda zero=zero: replace(task, weight_decay=zero, warmup=zero))
        keys.add(BASE.key)
    assert len(keys) == 1


def test_rows_say_themselves_whether_their_data_was_synthetic() -> None:
    run = Run("lenet300-digits", "snip", 0.5, 0, 2, 0.1, synthetic=True)
    row = dict.fromkeys(COLUMNS, "") | DEFAULTS
    row |= {"task": run.task, "method": run.method, "value": "0.5", "seed": "0", "epochs": "2", "learning_rate": "0.1"}
    row |= {"key": run.key, "experiment": "quickstart"}
    assert stale_keys([row | {"synthetic": "true"}]) == set()
    assert stale_keys([row | {"synthetic": "TRUE"}]) == set()  # as spreadsheets write it
    assert stale_keys([row | {"synthetic": "false"}]) == {run.key}
    older = row | {"synthetic": "false", "experiment": "quickstart-smoke"}
    assert stale_keys([older]) == set()
    assert stale_keys([older | {"base_task": "lenet300-digits"}]) == {run.key}  # of an experiment that has this name


def test_a_different_computation_has_another_key() -> None:
    changes = {"task": "lenet300-digits", "method": "snip", "value": 6.5, "seed": 1, "epochs": 41, "learning_rate": 0.3}
    others = [replace(BASE, **{name: value}) for name, value in changes.items()]  # type: ignore[arg-type]
    others += [replace(BASE, precision="bf16"), replace(BASE, synthetic=True)]
    assert len({run.key for run in [BASE, *others]}) == 9


def test_another_recipe_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before, task = BASE.key, get_task("lenet300-mnist")
    for change in (
        {"batch_size": 32},
        {"weight_decay": 0.0},
        {"warmup": 0.1},
        {"optimizer": Adam()},
        {"version": 2},
        {"augmentation": Augmentation()},
    ):
        monkeypatch.setitem(TASKS, "lenet300-mnist", lambda change=change: replace(task, **change))
        assert BASE.key != before
    monkeypatch.setitem(TASKS, "lenet300-mnist", lambda: replace(task, learning_rate=0.15))
    assert BASE.key != before  # biases learn at no more than the recipe's own rate
    slow = replace(BASE, learning_rate=0.05)
    now = slow.key
    monkeypatch.setitem(TASKS, "lenet300-mnist", lambda: task)
    assert slow.key == now
    monkeypatch.setitem(TASKS, "lenet300-mnist", lambda: replace(task, learning_rates={}, epochs=7))
    assert BASE.key == before  # the run itself says its rate and its epochs


def test_a_new_version_of_a_method_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = BASE.key
    monkeypatch.setattr(METHODS["dwf"], "version", 3)
    assert BASE.key != before
