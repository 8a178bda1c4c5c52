"""Tasks of numbers and of tokens go through the same loop, measurement and tables as classes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from benchmark.contract.promise import TIMES
from benchmark.data.objective import NextToken, Regression
from benchmark.experiments.experiment import Experiment
from benchmark.experiments.run import Run
from benchmark.records.schema import THRESHOLDS
from benchmark.sweep.rows import make_row, tell
from benchmark.sweep.status import best
from benchmark.tasks.registry import task
from benchmark.tasks.task import Task
from benchmark.training.loop import train
from benchmark.training.measure import Result
from methods.core.registry import MethodError, parse
from tests.builders import toy_task


def numbers() -> nn.Module:
    torch.manual_seed(torch.initial_seed())
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 2))


def tokens() -> nn.Module:
    torch.manual_seed(torch.initial_seed())
    return nn.Sequential(nn.Embedding(5, 8), nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 5))


KINDS: dict[str, dict[str, Any]] = {
    "mean squared error": {"model": numbers, "classes": 2, "objective": Regression()},
    "bits per character": {
        "model": tokens, "classes": 5, "objective": NextToken(), "shape": (6,), "vocabulary": 5, "learning_rate": 0.5,
    },
}  # fmt: skip


def trained(kind: str, form: str, values: list[float], seeds: list[int]) -> list[Result]:
    recipe: Task = toy_task(**KINDS[kind])
    return train(recipe, parse(form), values, seeds, 2, recipe.learning_rate, recipe.synthetic_data(), "float32")


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_learns_and_is_measured_by_the_metric_of_its_task(kind: str) -> None:
    (result,) = trained(kind, "dense", [1.0], [0])
    row = result.measured
    assert row.status == "ok" and row.val_accuracy is None and row.test_accuracy is None and result.correct is None
    assert row.test_metric is not None and row.val_metric is not None and row.chance is not None
    assert row.test_metric < row.chance / 2
    at_start, *_, at_end = [value for _, metric, value in result.curves if metric == "val_metric"]
    assert at_end == pytest.approx(row.val_metric) and at_end < at_start
    if kind == "mean squared error":
        assert row.test_metric == pytest.approx(row.test_loss)
    else:
        assert row.test_metric == pytest.approx(row.test_loss / torch.tensor(2.0).log().item())  # type: ignore[operator]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["snip", "synflow"])
def test_masks_are_exact_and_a_pack_gives_what_its_runs_give_alone(kind: str, form: str) -> None:
    together = trained(kind, form, [0.5, 0.25], [0, 1])
    for place, (value, seed) in enumerate([(0.5, 0), (0.25, 1)]):
        (alone,) = trained(kind, form, [value], [seed])
        assert together[place].measured.nonzeros == alone.measured.nonzeros
        for name, expected in asdict(alone.measured).items():
            if name not in (*TIMES, "pack"):
                found = getattr(together[place].measured, name)
                assert found == (pytest.approx(expected, rel=1e-3) if isinstance(expected, float) else expected), name


@pytest.mark.parametrize("kind", KINDS)
def test_grasp_says_that_it_needs_classes(kind: str) -> None:
    @task
    def made_without_classes() -> Task:
        """Inputs without a class."""
        return toy_task(**KINDS[kind])

    said = f"takes examples of each class, and a task of {kind} has none; choose another method"
    with pytest.raises(MethodError, match=said):
        trained(kind, "grasp", [0.5], [0])
    for form in ("grasp", "control[mask=grasp]"):  # a sweep is refused before anything is written
        with pytest.raises(MethodError, match=f"^grasp {said}"):
            Experiment(("made-without-classes",), (form,), {"density": (0.5,)}, synthetic=True).runs()


def test_thresholds_hold_the_metric_and_the_error_of_its_difference() -> None:
    (result,) = trained("mean squared error", "prox-l1", [1e-2], [0])
    assert [point[0] for point in result.at_thresholds] == list(THRESHOLDS)
    for point in result.at_thresholds:
        assert point[3] is None and point[4] is None and all(isinstance(number, float) for number in point[5:])
    assert result.at_thresholds[0][5] == 0 < result.at_thresholds[-1][5]


def test_rows_lines_and_status_follow_the_metric() -> None:
    @task
    def made_numbers() -> Task:
        """Numbers to predict."""
        return toy_task(**KINDS["mean squared error"])

    rows = []
    for method, value, metric in (("dense", 1.0, 0.5), ("snip", 0.5, 0.504), ("snip", 0.1, 0.6)):
        (result,) = trained("mean squared error", "dense", [1.0], [0])
        result.measured.val_metric = result.measured.test_metric = metric
        result.measured.compression = 1 / value
        rows.append(make_row("mine", Run("made-numbers", method, value, 0, 2, 0.1), result, "cpu", "", ""))
    assert tell(rows[0]) == "dense seed 0: CR 1.0, test 0.5 mean squared error"
    cells = [{name: "" if value is None else str(value) for name, value in asdict(row).items()} for row in rows]
    assert [line[1:] for line in best(cells, Path("runs.csv"))] == [
        ("dense", 1, 0.5, 1.0, 1.0),
        ("snip", 2, 0.504, 2.0, 2.0),  # 0.504 is within 1 % of dense, 0.6 is not
    ]
