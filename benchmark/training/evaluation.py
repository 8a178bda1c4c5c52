"""Counts and accuracies of a network, by the same functions for every method."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch.nn import functional

from benchmark.data.split import Split
from benchmark.training import flops
from methods.core.prunable import prunable_names

EVALUATION_BATCH = 5_000  # the largest number of examples
TOP5_CLASSES = 100  # classes from which on top-5 accuracy is measured
EVALUATION_VALUES = 2**24  # the largest number of input values of all runs, which bounds the memory


class Evaluation(NamedTuple):
    """The results of R runs over a split with n examples."""

    accuracy: list[float]  # percent, of each run
    loss: list[float]  # mean cross-entropy
    top5: list[float | None]  # percent of examples whose class is among the five likeliest; None below TOP5_CLASSES
    correct: torch.Tensor  # [R, n], whether an example is classified correctly, on the device


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


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy [R, B] of logits [R, B, C] and labels [R, B], or [B] if all runs share them."""
    runs = logits.shape[0]
    logits = logits.flatten(0, 1).to(torch.promote_types(logits.dtype, torch.float32))
    loss = functional.cross_entropy(logits, labels.expand(runs, -1).flatten(), reduction="none")
    return loss.view(runs, -1)


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def evaluate(
    model: torch.nn.Module, split: Split, forward: Callable[[torch.Tensor], torch.Tensor] | None = None, runs: int = 1
) -> Evaluation:
    """Return what each run makes of the examples of a split; means are exact for a short last batch.

    `forward` gives the logits [R, B, C] of R = `runs` networks with the model's architecture; by default those of the
    model. The model stays in evaluation mode; its buffers do not change.
    """
    model.eval()
    size = max(1, min(EVALUATION_BATCH, EVALUATION_VALUES // (runs * math.prod(split[0].shape[1:]))))
    correct: list[torch.Tensor] = []
    loss: list[torch.Tensor] = []
    near: list[torch.Tensor] = []
    with torch.no_grad():
        for x, y in zip(split[0].split(size), split[1].split(size), strict=True):
            logits = forward(x) if forward else model(x).unsqueeze(0)
            correct.append(logits.argmax(-1) == y)
            if logits.shape[-1] >= TOP5_CLASSES:
                near.append((logits.topk(5).indices == y.unsqueeze(-1)).any(-1).sum(-1))
            loss.append(cross_entropy(logits, y).sum(-1))
    n = len(split[1])
    mean_loss = torch.stack(loss).cpu().double().sum(0) / n  # not every device has float64
    right = torch.cat(correct, dim=1)
    top5 = [100 * count / n for count in torch.stack(near).sum(0).tolist()] if near else [None] * runs
    return Evaluation([100 * count / n for count in right.sum(1).tolist()], mean_loss.tolist(), top5, right)
