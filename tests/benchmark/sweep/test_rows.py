"""Rows describe themselves: task, method, recipe and versions are columns of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmark.data.augmentation import Augmentation
from benchmark.experiments.run import Run
from benchmark.records.schema import COLUMNS, DEFAULTS, Measurement, Status
from benchmark.records.table import cell
from benchmark.sweep.rows import (
    asked,
    augmentation_column,
    completed,
    make_row,
    optimizer_column,
    tell,
    told_apart,
)
from benchmark.training.measure import Result
from methods.core.optimizers import Adam, Sgd


def test_a_row_says_what_was_asked_of_its_run() -> None:
    run = Run("lenet300-mnist[width=0.5]", "dwf[depth=2,threshold=0.001]", 6.0, 1, 30, 0.8, "bf16", synthetic=True)
    row = asked("fronts", run)
    assert (row.key, row.experiment) == (run.key, "fronts")
    assert (row.task, row.base_task, row.width, row.dataset) == (run.task, "lenet300-mnist", 0.5, "MNIST")
    assert row.synthetic is True
    assert (row.method, row.label, row.depth, row.threshold) == (run.method, "dwf[depth=2]", 2, 0.001)
    assert row.family == "factorization"
    assert "depth=2" in row.options and "threshold=0.001" in row.options
    assert (row.knob, row.value, row.seed, row.epochs, row.precision) == ("strength", 6.0, 1, 30, "bf16")
    assert (row.learning_rate, row.other_learning_rate) == (0.8, 0.1)
    assert (row.optimizer, row.momentum, row.weight_decay, row.warmup) == ("sgd", 0.9, 5e-4, 0.05)
    assert (row.augmentation, row.task_version, row.method_version) == ("", 1, 2)


def test_a_row_has_no_width_if_its_task_has_none() -> None:
    row = asked("fronts", Run("resnet20-cifar10", "dense", 1, 0, 30, 0.1))
    assert (row.base_task, row.width, row.dataset) == ("resnet20-cifar10", None, "CIFAR10")
    assert row.augmentation == "shift=4,flip=true,cutout=0"
    assert (row.threshold, row.depth) == (0.0, None)


@pytest.mark.parametrize(
    ("method", "label", "version"),
    [
        ("snip[iterations=100]", "snip[iterations=100]", 2),
        ("control[mask=snip[iterations=2]]", "control[mask=snip[iterations=2],kind=shuffle]", 2),
        ("control[mask=dwf[depth=2,threshold=0.01],kind=reinit]", "control[mask=dwf[depth=2],kind=reinit]", 2),
        ("prox-l1", "prox-l1", 2),
    ],
)
def test_label_and_version_are_also_those_of_a_method_inside(method: str, label: str, version: int) -> None:
    row = asked("fronts", replace(Run("lenet300-mnist", "dense", 1, 0, 30, 0.1), method=method))
    assert (row.label, row.method_version) == (label, version)


def test_optimizers_and_augmentations_are_columns_that_name_what_is_not_the_default() -> None:
    assert optimizer_column(Sgd(0.5)) == "sgd"
    assert optimizer_column(Sgd(nesterov=True)) == "sgd[nesterov=true]"
    assert optimizer_column(Adam(epsilon=1e-6)) == "adam[epsilon=1e-06]"
    assert augmentation_column(None) == ""
    assert augmentation_column(Augmentation(8, cutout=2)) == "shift=8,flip=true,cutout=2"


def older(run: Run, **changes: str) -> dict[str, str]:
    """Make a row as a version wrote it that had few columns."""
    row = {name: DEFAULTS.get(name, "") for name in COLUMNS}
    names = ("key", "task", "method", "value", "seed", "epochs", "learning_rate", "other_learning_rate", "precision")
    row |= {name: cell(value) for name, value in vars(asked("fronts", run)).items() if name in names}
    return row | {"experiment": "fronts", "parameters": "100", "prunable": "80", "nonzeros": "30"} | changes


def test_a_row_of_an_older_version_is_completed_as_far_as_its_key_proves() -> None:
    run = Run("lenet300-mnist[width=0.5]", "gmp[update_start=0.1]", 0.1, 1, 30, 0.2)
    complete = completed(older(run, method="gmp[after=0.1]", options="after=0.1", test_accuracy="97.5"))
    assert tuple(complete) == COLUMNS
    expected = {name: cell(value) for name, value in vars(asked("fronts", run)).items()}
    assert {name: complete[name] for name in expected} == expected
    assert (complete["method"], complete["test_accuracy"]) == ("gmp[update_start=0.1]", "97.5")
    assert complete["total_compression"] == "2"  # 100 / (100 - 80 + 30)


def test_a_row_of_another_recipe_gets_no_recipe_of_today() -> None:
    run = Run("lenet300-mnist[width=0.5]", "prox-l1", 0.1, 1, 30, 0.2)
    complete = completed(older(run, key="of version 1"))
    assert [complete[name] for name in ("base_task", "width", "label", "family")] == [
        *("lenet300-mnist", "0.5", "prox-l1", "penalty")
    ]
    assert [complete[name] for name in ("threshold", "optimizer", "weight_decay")] == ["", "", ""]
    assert complete["method_version"] == "1"  # not today's


def test_a_row_of_an_unknown_method_stays_as_it_is() -> None:
    row = older(Run("lenet300-mnist", "snip", 0.1, 1, 30, 0.2), method="of-a-plugin", total_compression="3")
    assert completed(row) == row


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"value": 0.2}, "snip density 0.1 seed 1: error, late"),
        ({"task": "lenet300-digits", "learning_rate": 0.4}, "snip on lenet300-mnist density 0.1 seed 1: error, late"),
        ({"learning_rate": 0.4}, "snip density 0.1 at learning rate 0.2 seed 1: error, late"),
        ({"epochs": 3}, "snip density 0.1 for 30 epochs seed 1: error, late"),
    ],
)
def test_a_line_on_a_run_says_what_tells_it_from_the_others(changes: dict[str, Any], told: str) -> None:
    run = Run("lenet300-mnist", "snip", 0.1, 1, 30, 0.2)
    failed = Result(Measurement(status=Status.ERROR, error="late"))
    row = make_row("fronts", run, failed, "cpu", "", "")
    assert tell(row, told_apart([run, replace(run, **changes)])) == told
