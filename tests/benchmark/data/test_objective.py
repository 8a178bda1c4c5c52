"""Losses, metrics and chance of each kind of target, computed by hand."""

from __future__ import annotations

import math
import re

import pytest
import torch

from benchmark.data.objective import Classification, NextToken, Objective, Regression
from benchmark.data.split import held_out
from benchmark.data.synthetic import synthetic_data

KINDS: list[Objective] = [Classification(), Regression(), NextToken()]


def test_regression_has_the_mean_squared_error_of_each_example() -> None:
    outputs = torch.tensor([[[1.0, 2.0], [0.0, 0.0]], [[1.0, 0.0], [3.0, 0.0]]])  # two runs, two examples, two numbers
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    expected = [[2.0, 0.5], [0.0, 5.0]]
    objective = Regression()
    assert objective.losses(outputs, targets).tolist() == expected
    assert objective.scores(outputs, targets.expand(2, -1, -1)).tolist() == expected
    assert (objective.metric, objective.better) == ("mean squared error", "lower")


def test_bits_per_character_are_the_mean_over_a_sequence() -> None:
    logits = torch.tensor([[3.0, 1.0], [1.0, 1.0]]).log().view(1, 1, 2, 2)  # shares 3/4 and 1/4, then 1/2 and 1/2
    targets = torch.tensor([[1, 0]])
    assert NextToken().scores(logits, targets).item() == pytest.approx((2 + 1) / 2)
    assert NextToken().losses(logits, targets).item() == pytest.approx(1.5 * math.log(2))
    assert NextToken().output_shape((2,), 5) == (2, 5)


def test_chance_is_the_metric_of_the_best_constant_that_the_training_targets_give() -> None:
    assert Classification().chance(torch.zeros(3), torch.zeros(3), 4) == 25
    train, test = torch.tensor([[1.0], [3.0]]), torch.tensor([[2.0], [4.0]])
    assert Regression().chance(train, test, 1) == 2.0  # (0 + 4) / 2
    tokens = torch.tensor([[0, 0, 0, 1, 0]])  # with one more of each: 5/8, 2/8 and 1/8
    assert NextToken().chance(tokens, torch.tensor([[1, 2]]), 3) == pytest.approx((2 + 3) / 2)


@pytest.mark.parametrize("objective", KINDS, ids=lambda kind: kind.metric)
@pytest.mark.parametrize("vocabulary", [0, 3])
def test_synthetic_data_fit_every_objective(objective: Objective, vocabulary: int) -> None:
    inputs, targets = synthetic_data((6,), 4, objective, vocabulary).train
    assert objective.fault(targets, 4) == ""
    assert (int(inputs[:].max()) == vocabulary - 1 and inputs[:].dtype == torch.int64) == bool(vocabulary)


@pytest.mark.parametrize(
    ("objective", "targets", "said"),
    [
        (Classification(), torch.tensor([0, 4]), "labels from 0 to 4, and the task declares classes 0 to 3"),
        (Classification(), torch.rand(5), r"type torch\.float32, not one class for each example"),
        (Regression(), torch.arange(4), r"shape \(\) and type torch\.int64, and the task declares 4 numbers"),
        (Regression(), torch.rand(5, 3), "declares 4 numbers for each example"),
        (NextToken(), torch.tensor([[0, -1]]), "tokens from -1 to 0, and the task declares 4"),
        (NextToken(), torch.arange(4), "not a sequence of tokens"),
    ],
)
def test_targets_that_do_not_fit_are_named(objective: Objective, targets: torch.Tensor, said: str) -> None:
    assert re.search(said, objective.fault(targets, 4))


def test_a_tenth_of_numbers_and_of_sequences_is_held_out() -> None:
    for targets in (torch.rand(50, 2), torch.zeros(50, 3, dtype=torch.int64), torch.rand(50)):
        assert int(held_out(targets).sum()) == 5
