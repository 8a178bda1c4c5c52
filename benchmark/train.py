"""The training loop, one for every method: R runs of one task and method that differ in their value alone."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch

from benchmark.data import Data
from benchmark.devices import peak_memory_mb, reset_peak_memory
from benchmark.metrics import cross_entropy, evaluate, layer_nonzeros, multiply_adds
from benchmark.probe import Probe
from benchmark.seeds import generator
from benchmark.tasks import Task
from methods.base import Method
from methods.network import Network


@dataclass
class Result:
    """What one run measured: fields of its row, curves as (epoch, metric, value), layers as (name, kept, total)."""

    measured: dict[str, object]
    curves: list[tuple[int, str, float]] = field(default_factory=list)
    layers: list[tuple[str, int, int]] = field(default_factory=list)
    traceback: str = ""


def schedule(phases: tuple[float, ...], steps: int, peak: float, warmup: float) -> list[list[float]]:
    """The learning rate of every step, a list for each phase: a linear rise, then a cosine down to zero."""
    edges = [round(steps * sum(phases[:i])) for i in range(len(phases))] + [steps]
    rates = []
    for start, stop in itertools.pairwise(edges):
        length = stop - start
        rising = round(warmup * length)
        rise = [peak * (t + 1) / (rising + 1) for t in range(rising)]
        fall = [peak * (1 + math.cos(math.pi * t / (length - rising))) / 2 for t in range(length - rising)]
        rates.append(rise + fall)
    return rates


def train(
    task: Task, method: Method, values: list[float], seed: int, epochs: int, peak: float, data: Data, precision: str
) -> list[Result]:
    """Train R = len(values) runs on `data`, which is on its device, and measure each final, plain network.

    With one seed every method starts from the same weights and sees the same batches. A run whose loss is no longer
    finite ends as `diverged`; when all have, no more steps are spent.
    """
    device = data.train[0].device
    inputs, labels = data.train
    batch_size = min(task.batch_size, len(labels))
    steps_per_epoch = len(labels) // batch_size
    rates = schedule(method.phases, epochs * steps_per_epoch, peak, task.warmup)
    phase_starts = {sum(map(len, rates[:phase])): phase for phase in range(len(rates))}
    learning_rates = [rate for phase in rates for rate in phase]

    reset_peak_memory(device)
    with torch.random.fork_rng(devices=[]):
        net = Network([_model(task, seed).to(device) for _ in values])
        order = generator(seed, "order")
        rest_state = task.rule.state(net.rest)
        steps_done = [0] * net.runs
        curves: list[list[tuple[int, str, float]]] = [[] for _ in values]
        alive = [True] * net.runs
        seconds, begun = 0.0, time.perf_counter()
        method.start(
            net, values, task.rule, task.weight_decay, Probe(net, data.train, batch_size, seed, learning_rates)
        )
        step = 0
        for epoch in range(1, epochs + 1):
            net.model.train()
            total = torch.zeros(net.runs, device=device)
            for batch in _batches(len(labels), batch_size, order, device):
                if step in phase_starts:
                    method.begin(phase_starts[step])
                net.zero_grad()
                with autocast(precision, device):
                    logits = net.forward(inputs[batch])
                loss = cross_entropy(logits, labels[batch]).mean(1)
                loss.sum().backward()
                total += loss.detach()
                method.update(learning_rates[step])
                task.rule.step(net.rest, net.rest_grad, rest_state, learning_rates[step])
                step += 1
            if epoch == epochs:
                if step in phase_starts:  # a last phase too short for a step still prunes
                    method.begin(phase_starts[step])
                method.finish()
            losses = (total / steps_per_epoch).tolist()  # the one synchronisation of an epoch
            seconds += time.perf_counter() - begun
            steps_done = [step if ok else done for ok, done in zip(alive, steps_done, strict=True)]
            alive = [ok and math.isfinite(loss) for ok, loss in zip(alive, losses, strict=True)]
            if not any(alive):
                break
            for curve, points in zip(curves, _epoch_metrics(net, method, data, losses, precision), strict=True):
                curve += [(epoch, metric, value) for metric, value in points.items()]
            begun = time.perf_counter()
        shared: dict[str, object] = {
            "train_seconds": seconds / net.runs,
            "step_ms": 1000 * seconds / step,
            "peak_memory_mb": peak_memory_mb(device),
            "batch_size": batch_size,
            "device": device.type,
            "precision": precision,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        }
        return [
            _measure(net, method, run, data, precision, ok, curves[run], shared | {"steps": steps_done[run]})
            for run, ok in enumerate(alive)
        ]


def _model(task: Task, seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    return task.model()


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def _batches(n: int, size: int, order: torch.Generator, device: torch.device) -> Iterator[torch.Tensor]:
    """Indices of one epoch's batches; the examples that do not fill a batch sit this epoch out."""
    shuffled = torch.randperm(n, generator=order).to(device)
    yield from shuffled[: n // size * size].view(-1, size)


def _epoch_metrics(
    net: Network, method: Method, data: Data, losses: list[float], precision: str
) -> list[dict[str, float]]:
    with autocast(precision, data.val[0].device):
        accuracies, val_losses = evaluate(net.model, data.val, net.forward)
    counted = (net.weights.abs() >= method.threshold) & (net.weights != 0)
    densities = (counted.sum(1) / net.weights.shape[1]).tolist()
    return [
        {"train_loss": loss, "val_loss": val_loss, "val_accuracy": accuracy, "density": density}
        for loss, val_loss, accuracy, density in zip(losses, val_losses, accuracies, densities, strict=True)
    ]


def _measure(
    net: Network,
    method: Method,
    run: int,
    data: Data,
    precision: str,
    alive: bool,
    curves: list[tuple[int, str, float]],
    shared: dict[str, object],
) -> Result:
    """Count and evaluate one run's final network; whatever is not finite there is a divergence too."""
    model = net.plain(run)
    layers = layer_nonzeros(model)
    prunable = sum(total for _, total in layers.values())
    measured = shared | {
        "prunable": prunable,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "penalty": float(method.penalty[run]) if method.penalty is not None else None,
    }
    with autocast(precision, data.train[0].device):
        (train_loss,), (val_accuracy,), (test_accuracy,), (test_loss,) = (
            evaluate(model, data.train)[1],
            evaluate(model, data.val)[0],
            *evaluate(model, data.test),
        )
    if not alive or not math.isfinite(train_loss + test_loss):
        return Result(measured | {"status": "diverged"}, curves)
    dense, sparse = multiply_adds(model, data.train[0][:1])
    nonzeros = sum(kept for kept, _ in layers.values())
    measured |= {
        "nonzeros": nonzeros,
        "density": nonzeros / prunable,
        "compression": prunable / nonzeros if nonzeros else math.inf,
        "macs_dense": dense,
        "macs_sparse": sparse,
        "theoretical_speedup": dense / sparse if sparse else math.inf,
        "empty_layers": sum(kept == 0 for kept, _ in layers.values()),
        "train_loss": train_loss,
        "val_accuracy": val_accuracy,
        "test_accuracy": test_accuracy,
        "test_loss": test_loss,
    }
    return Result(measured, curves, [(name, kept, total) for name, (kept, total) in layers.items()])
