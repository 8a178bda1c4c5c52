"""How long a training step takes: contenders alternate in one run, and ratios of medians are what counts."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from torch.nn.utils import parametrize

from benchmark import data
from benchmark.devices import settle
from benchmark.metrics import cross_entropy
from benchmark.probe import Probe
from benchmark.tasks import get_task
from methods.network import Network, prunable_names
from methods.registry import parse
from methods.rules import Sgd

Step = Callable[[], object]
Turn = Callable[[], float]  # takes some steps and returns what it measured


class _Product(torch.nn.Module):
    """w = omega_1 * ... * omega_D by autograd, for torch's own parametrization."""

    def __init__(self, depth: int):
        super().__init__()
        self.depth = depth

    def forward(self, *factors: torch.Tensor) -> torch.Tensor:
        product = factors[0]
        for factor in factors[1:]:
            product = product * factor
        return product

    def right_inverse(self, weight: torch.Tensor) -> list[torch.Tensor]:
        return [weight, *(torch.ones_like(weight) for _ in range(self.depth - 1))]


def ours(task_name: str, method_name: str, device: str) -> Step:
    """A training step as the suite takes it."""
    task, method = get_task(task_name), parse(method_name)
    net = Network([task.model().to(device)])
    inputs, labels = data.made(task.shape, task.classes).to(device).train
    inputs, labels = inputs[: task.batch_size], labels[: task.batch_size]
    probe = Probe(net, (inputs, labels), task.batch_size, [0], [1e-3])
    method.start(net, [1.0], task.rule, task.weight_decay, probe)
    rest_state, rate = task.rule.state(net.rest), net.weights.new_full((), 1e-3)

    def step() -> None:
        net.zero_grad()
        cross_entropy(net.forward(inputs), labels).mean(1).sum().backward()
        with torch.no_grad():
            method.update(rate)
            task.rule.step(net.rest, net.rest_grad, rest_state, rate)

    return step


def parametrized(task_name: str, depth: int, device: str) -> Step:
    """The same step through torch.nn.utils.parametrize, autograd and torch.optim.SGD."""
    task = get_task(task_name)
    assert isinstance(task.rule, Sgd)
    model = task.model().to(device)
    for name in prunable_names(model):
        path, _, attribute = name.rpartition(".")
        parametrize.register_parametrization(model.get_submodule(path), attribute, _Product(depth))
    factors = [parameter for name, parameter in model.named_parameters() if ".parametrizations." in name]
    others = [parameter for name, parameter in model.named_parameters() if ".parametrizations." not in name]
    groups: list[dict[str, Any]] = [{"params": factors, "weight_decay": 1e-4}, {"params": others}]
    optimizer = torch.optim.SGD(groups, lr=1e-3, momentum=task.rule.momentum)
    inputs, labels = data.made(task.shape, task.classes).to(device).train
    inputs, labels = inputs[: task.batch_size], labels[: task.batch_size]

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()

    return step


def timed(step: Step, steps: int, device: str) -> Turn:
    """A turn of so many steps, which measures the milliseconds of one."""
    wait = (lambda: None) if device == "cpu" else partial(torch.accelerator.synchronize, device)

    def turn() -> float:
        wait()
        begun = time.perf_counter()
        for _ in range(steps):
            step()
        wait()
        return 1000 * (time.perf_counter() - begun) / steps

    return turn


def alternate(contenders: dict[str, Turn], rounds: int) -> dict[str, float]:
    """Median of what each contender's turns measure; in every round each takes one."""
    measured: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in contenders.values():  # compile, allocate, warm up
        turn()
    for _ in range(rounds):
        for name, turn in contenders.items():
            measured[name].append(turn())
    return {name: statistics.median(times) for name, times in measured.items()}


def show(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table of names, which come first, and numbers."""
    table = Table(title=title, title_justify="left")
    table.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*map(escape, row))
    Console().print(table)


def bench_update(device: str, rounds: int, steps: int) -> None:
    """A whole training step of dense SGD, of factorization here, and of factorization by parametrize; one thread."""
    settle()
    for task in ("lenet300-fmnist", *(() if device == "cpu" else ("resnet18-cifar10",))):
        _bench_task(task, device, rounds, steps)


def _bench_task(task: str, device: str, rounds: int, steps: int) -> None:
    contenders: dict[str, Step] = {"dense": ours(task, "dense", device)}
    contenders |= {f"dwf[depth={d}]": ours(task, f"dwf[depth={d}]", device) for d in (1, 2, 3, 4, 8)}
    contenders |= {f"parametrize, depth {d}": parametrized(task, d, device) for d in (2, 3, 4)}
    times = alternate({name: timed(step, steps, device) for name, step in contenders.items()}, rounds)
    rows = [[name, f"{ms:.2f}", f"{ms / times['dense']:.2f}"] for name, ms in times.items()]
    title = f"{task}, batch {get_task(task).batch_size}, {device}"
    show(title, ["step of", "median ms", "ratio to dense"], rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--steps", type=int, default=10)
    arguments = parser.parse_args()
    bench_update(arguments.device, arguments.rounds, arguments.steps)
