"""The measurements of R runs: after every epoch, and on each final network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from benchmark.data.inputs import Inputs
from benchmark.data.objective import Objective
from benchmark.data.split import Data
from benchmark.deployment.compact import compact
from benchmark.deployment.storage import can_store, packed
from benchmark.errors import UsageError
from benchmark.records.bits import encode
from benchmark.records.schema import THRESHOLDS, Measurement, Status
from benchmark.tasks.task import Task
from benchmark.training.effective import effective_nonzeros
from benchmark.training.evaluation import autocast, evaluate, layer_nonzeros, multiply_adds
from benchmark.training.uncut import ThresholdPoint, Uncut
from methods.core.base import Method
from methods.core.faults import left_weights
from methods.core.network import Network

Point = tuple[int, str, float]  # epoch, metric, value
Layer = tuple[str, int, int]  # name, kept, total
Correct = tuple[int, str]  # number of test examples, and one bit for each, as records/bits.py encodes them


@dataclass
class Result:
    """The result of one run: the measured fields of its row, and its rows of the other tables."""

    measured: Measurement
    curves: list[Point] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    at_thresholds: list[ThresholdPoint] = field(default_factory=list)
    correct: Correct | None = None
    traceback: str = ""
    network: bytes | None = None  # the content of its file, if it is kept
    checkpoint: Path | None = None  # to be removed once the rows of its pack, of which this is the last, are written
    warnings: list[str] = field(default_factory=list)


def epoch_points(
    epoch: int,
    net: Network,
    method: Method,
    data: Data,
    objective: Objective,
    precision: str,
    known: dict[str, list[float]],
) -> list[list[Point]]:
    """Return the points of each run's curves after an epoch; `known` has the metrics that training knows.

    Known: train_loss, the mean loss of the epoch's batches; rate_share, the spent share of the sum of all learning
    rates. Measured: val_loss; val_accuracy in percent, or val_metric for a task with another metric; density of the
    network, of each layer, and, for methods with a penalty, at each zero threshold; weight_norm, the Euclidean norm of
    all prunable weights; and the metrics of the method's `diagnose`.
    """
    with autocast(precision, data.val[1].device):
        values, losses, *_ = evaluate(net.model, data.val, net.forward, net.runs, objective)
    magnitudes = net.weights.abs()
    kept = (magnitudes >= method.threshold) & (magnitudes > 0)
    metrics = {"density": kept.float().mean(1), "weight_norm": net.weights.norm(dim=1)}
    metrics |= {f"density of {layer.name}": kept[:, layer.span].float().mean(1) for layer in net.layers}
    if method.penalty is not None:
        metrics |= {f"density at {threshold:g}": (magnitudes >= threshold).float().mean(1) for threshold in THRESHOLDS}
    metrics |= method.diagnose()
    columns = known | {"val_loss": losses, metric_column("val", objective): values}
    columns |= dict(zip(metrics, torch.stack(list(metrics.values())).tolist(), strict=True))
    return [[(epoch, name, values[run]) for name, values in columns.items()] for run in range(net.runs)]


def measure(
    net: Network,
    method: Method,
    run: int,
    task: Task,
    data: Data,
    precision: str,
    finite: bool,
    curves: list[Point],
    uncut: Uncut,
    measured: Measurement,
    keep_network: bool,
) -> Result:
    """Count and evaluate one run's final network; a loss that is not finite makes the run diverged, too."""
    model = net.plain(run)
    layers = layer_nonzeros(model)
    prunable = sum(total for _, total in layers.values())
    parameters = sum(parameter.numel() for parameter in model.parameters())
    penalty = float(method.penalty[run]) if method.penalty is not None else None
    measured = replace(measured, prunable=prunable, parameters=parameters, penalty=penalty)
    objective = task.objective
    measured.chance = objective.chance(data.train[1], data.test[1], task.classes)
    with autocast(precision, data.train[1].device):
        (train_loss,) = evaluate(model, data.train, objective=objective).loss
        (val_metric,), (val_loss,), (val_top5,), _ = evaluate(model, data.val, objective=objective)
        (test_metric,), (test_loss,), (test_top5,), scores = evaluate(model, data.test, objective=objective)
    if not finite or not math.isfinite(train_loss + test_loss):
        lost = "the loss of the final network" if finite else f"the training loss of epoch {curves[-1][0] + 1}"
        return Result(replace(measured, status=Status.DIVERGED, error=f"{lost} is not finite"), curves)
    dense, sparse = multiply_adds(model, data.train[0][:1])
    nonzeros = sum(kept for kept, _ in layers.values())
    left = parameters - prunable + nonzeros
    effective = effective_nonzeros(model, data.train[0][:1])
    network = packed(model) if can_store() else None
    compact_parameters, compact_macs = _compact_sizes(model, data.train[0][:1])
    measured = replace(
        measured,
        nonzeros=nonzeros,
        density=nonzeros / prunable,
        compression=prunable / nonzeros if nonzeros else math.inf,
        effective_nonzeros=effective,
        effective_density=None if effective is None else effective / prunable,
        effective_compression=None if effective is None else prunable / effective if effective else math.inf,
        total_compression=parameters / left if left else math.inf,
        file_bytes=None if network is None else len(network),
        macs_dense=dense,
        macs_sparse=sparse,
        compact_parameters=compact_parameters,
        compact_macs=compact_macs,
        theoretical_speedup=dense / sparse if sparse else math.inf,
        empty_layers=sum(kept == 0 for kept, _ in layers.values()),
        train_loss=train_loss,
        uncut_train_loss=uncut.train_loss,
        exponent=uncut.exponent,
        penalty_sum=uncut.penalty_sum,
        objective=uncut.objective,
        val_loss=val_loss,
        val_top5=val_top5,
        test_loss=test_loss,
        test_top5=test_top5,
        warning="; ".join(left_weights(net, method, run)),
    )
    setattr(measured, metric_column("val", objective), val_metric)
    setattr(measured, metric_column("test", objective), test_metric)
    counts = [(name, kept, total) for name, (kept, total) in layers.items()]
    bits = None
    if scores.dtype == torch.bool:
        bits = scores.shape[1], encode(scores[0].tolist())
        measured.warning = "; ".join(filter(None, [measured.warning, _one_class(model, data.val[0], precision)]))
    return Result(measured, curves, counts, uncut.at_thresholds, bits, network=network if keep_network else None)


def metric_column(split: str, objective: Objective) -> str:
    """Return the column of a split's metric: accuracy has columns of its own, and all other metrics share theirs."""
    return f"{split}_{'accuracy' if objective.metric == 'accuracy' else 'metric'}"


def _compact_sizes(model: torch.nn.Module, example: torch.Tensor) -> tuple[int | None, int | None]:
    """Return the parameters and multiply-adds of a network without its dead units, or None if it needs its sizes."""
    try:
        small = compact(model, example)
    except UsageError:
        return None, None
    return sum(parameter.numel() for parameter in small.parameters()), multiply_adds(small, example)[0]


def _one_class(model: torch.nn.Module, inputs: Inputs, precision: str) -> str:
    """Return a sentence if a model predicts the same class for all inputs, of which it sees the first thousand."""
    examples = inputs[:1000]
    with torch.no_grad(), autocast(precision, examples.device):
        predicted = model.eval()(examples).argmax(-1)
    same = len(predicted) > 1 and bool((predicted == predicted[0]).all())
    return "the network predicts one class for all validation examples" if same else ""
