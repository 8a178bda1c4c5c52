"""The measurements of penalty runs before their small weights become zero: objective, and counts at zero thresholds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch

from benchmark.data.batches import Batches
from benchmark.data.objective import Objective
from benchmark.data.split import Data
from benchmark.records.schema import THRESHOLDS
from benchmark.training.batch_norm import recompute_statistics
from benchmark.training.evaluation import autocast, evaluate
from methods.core.base import Method
from methods.core.network import Network

# A row of thresholds.csv without its key.
ThresholdPoint = tuple[float, int, float, float | None, float | None, float, float | None, float | None]


@dataclass
class Uncut:
    """The measurements of a penalty run before its small weights become zero; empty for other runs."""

    at_thresholds: list[ThresholdPoint] = field(default_factory=list)
    train_loss: float | None = None
    exponent: float | None = None
    penalty_sum: float | None = None
    objective: float | None = None


def measure_uncut(
    net: Network, method: Method, objective: Objective, data: Data, batches: Batches, precision: str
) -> list[Uncut]:
    """Measure penalty runs before their small weights become zero.

    The objective is mean training loss + lambda sum |w|^q, in which methods of equal q and lambda can be compared. For
    dwf, q = 2 / depth: its factors have at least this penalty. It is empty for penalties that are no power of |w|, or
    whose lambda differs between layers, as for dwf by strength with matched rates.
    """
    assert method.penalty is not None
    points = _at_thresholds(net, objective, data, batches, precision)
    with autocast(precision, net.weights.device):
        losses = evaluate(net.model, data.train, net.forward, net.runs, objective).loss
    if method.exponent is None:
        return [Uncut(run_points, loss) for run_points, loss in zip(points, losses, strict=True)]
    sums = [float(row.cpu().double().abs().pow(method.exponent).sum()) for row in net.weights]
    penalties = method.penalty.flatten().tolist()
    return [
        Uncut(run_points, loss, method.exponent, total, loss + penalty * total)
        for run_points, loss, total, penalty in zip(points, losses, sums, penalties, strict=True)
    ]


def _at_thresholds(
    net: Network, objective: Objective, data: Data, batches: Batches, precision: str
) -> list[list[ThresholdPoint]]:
    """Return the points of every run at each of THRESHOLDS, with the statistics of batch norm that belong to each."""
    whole, statistics = net.weights.clone(), [buffer.clone() for buffer in net.buffers()]
    measured: list[list[ThresholdPoint]] = [[] for _ in range(net.runs)]
    first: torch.Tensor | None = None
    for threshold in THRESHOLDS:
        net.weights.copy_(whole.masked_fill(whole.abs() < threshold, 0))
        recompute_statistics(net, whole, batches, precision)
        nonzeros = net.weights.count_nonzero(1).tolist()
        with autocast(precision, net.weights.device):
            val, test = (
                evaluate(net.model, split, net.forward, net.runs, objective) for split in (data.val, data.test)
            )
        first = val.scores if first is None else first
        errors = [objective.scale * error for error in standard_errors(val.scores, first)]
        for run, points in enumerate(measured):
            counts = nonzeros[run], nonzeros[run] / net.weights.shape[1]
            metrics, none = (val.metric[run], test.metric[run]), (None, None)
            accuracies, others = (metrics, none) if objective.metric == "accuracy" else (none, metrics)
            points.append((threshold, *counts, *accuracies, errors[run], *others))
        for buffer, value in zip(net.buffers(), statistics, strict=True):
            buffer.copy_(value)
    net.weights.copy_(whole)
    return measured


def standard_errors(one: torch.Tensor, other: torch.Tensor) -> list[float]:
    """Return the standard errors [R] of the differences between two means over the same examples.

    one, other: [R, n], the scores of the examples, such as whether they are classified correctly.
    """
    differences = one.cpu().double() - other.cpu().double()
    return (differences.std(1, correction=0) / math.sqrt(one.shape[1])).tolist()
