"""Counts and metrics of a network, by the same functions for every method."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch

from benchmark.data.inputs import InMemory, Inputs
from benchmark.data.objective import Classification, Objective
from benchmark.data.split import Split
from benchmark.training import flops
from methods.core.prunable import prunable_names

EVALUATION_BATCH = 5_000  # the largest number of examples
TOP5_CLASSES = 100  # classes from which on top-5 accuracy is measured
EVALUATION_VALUES = 2**24  # the largest number of input values of all runs, which bounds the memory
TOKEN_VALUES = 256  # the numbers that stand for one token
CLASSIFICATION = Classification()


class Evaluation(NamedTuple):
    """The results of R runs over a split with n examples."""

    metric: list[float]  # one for each run, such as accuracy in percent
    loss: list[float]
    top5: list[float | None]  # percent of examples whose class is among the five likeliest; None below TOP5_CLASSES
    scores: torch.Tensor  # [R, n], the metric of each example, such as whether it is classified correctly


def layer_nonzeros(model: torch.nn.Module) -> dict[str, tuple[int, int]]:
    """Return the numbers of nonzero weights and of all weights of every prunable parameter, by name."""
    weights = {name: model.get_parameter(name) for name in prunable_names(model)}
    return {name: (int(weight.count_nonzero()), weight.numel()) for name, weight in weights.items()}


def multiply_adds(model: torch.nn.Module, example: torch.Tensor) -> tuple[int, int]:
    """Return the multiply-adds of a forward pass of one example [1, ...]: with all weights, and with nonzero ones only.

    Every weight of a layer is in the same number of products, so a layer's multiply-adds fall with its density, however
    the model uses the weight. Other operations, such as attention products, count in full.
    """
    model.eval()
    operations, saved = flops.count(model, example)
    dense = operations // 2  # torch counts two operations for a multiply-add
    return dense, round(dense - saved / 2)


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def evaluate(
    model: torch.nn.Module,
    split: Split,
    forward: Callable[[torch.Tensor], torch.Tensor] | None = None,
    runs: int = 1,
    objective: Objective = CLASSIFICATION,
) -> Evaluation:
    """Return what each run makes of the examples of a split; means are exact for a short last batch.

    `forward` gives the outputs [R, B, ...] of R = `runs` networks with the model's architecture; by default those of
    the model. The model stays in evaluation mode; its buffers do not change.
    """
    model.eval()
    size = max(1, min(EVALUATION_BATCH, EVALUATION_VALUES // (runs * _values(split[0]))))
    scores: list[torch.Tensor] = []
    loss: list[torch.Tensor] = []
    near: list[torch.Tensor] = []
    with torch.no_grad():
        for x, y in zip(split[0].split(size), split[1].split(size), strict=True):
            outputs = forward(x) if forward else model(x).unsqueeze(0)
            scores.append(objective.scores(outputs, y))
            if scores[-1].dtype == torch.bool and outputs.shape[-1] >= TOP5_CLASSES:
                near.append((outputs.topk(5).indices == y.unsqueeze(-1)).any(-1).sum(-1))
            loss.append(objective.losses(outputs, y).sum(-1))
    n = len(split[1])
    mean_loss = torch.stack(loss).cpu().double().sum(0) / n  # not every device has float64
    all_scores = torch.cat(scores, dim=1)
    metric = [objective.scale * total / n for total in _sum(all_scores).tolist()]
    top5 = [100 * count / n for count in torch.stack(near).sum(0).tolist()] if near else [None] * runs
    return Evaluation(metric, mean_loss.tolist(), top5, all_scores)


def _values(inputs: Inputs) -> int:
    """Return how many numbers an input takes in memory; a network makes a vector of each token."""
    tokens = isinstance(inputs, InMemory) and not inputs.values.is_floating_point()
    return math.prod(inputs.shape[1:]) * (TOKEN_VALUES if tokens else 1)


def _sum(scores: torch.Tensor) -> torch.Tensor:
    """Return the sums [R] of scores [R, n]: counts of booleans, or sums in float64, which not every device has."""
    return scores.sum(1) if scores.dtype == torch.bool else scores.cpu().double().sum(1)
