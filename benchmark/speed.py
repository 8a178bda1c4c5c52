"""How long a training step takes: contenders alternate in one run, and ratios of medians are what counts."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from torch.nn.utils import parametrize

from benchmark import data
from benchmark.metrics import cross_entropy
from benchmark.probe import Probe
from benchmark.tasks import get_task
from methods.network import Network, prunable_names
from methods.registry import parse
from methods.rules import Sgd

Step = Callable[[], None]


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
    probe = Probe(net, (inputs, labels), task.batch_size, 0, [1e-3])
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


def alternate(contenders: dict[str, Step], rounds: int, steps: int, device: str) -> dict[str, float]:
    """Median milliseconds of a step of each contender; in every round each takes its `steps` in turn."""
    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for step in contenders.values():  # compile, allocate, warm up
        for _ in range(5):
            step()
    for _ in range(rounds):
        for name, step in contenders.items():
            wait()
            begun = time.perf_counter()
            for _ in range(steps):
                step()
            wait()
            seconds[name].append((time.perf_counter() - begun) / steps)
    return {name: 1000 * statistics.median(times) for name, times in seconds.items()}


def bench_update(device: str, rounds: int, steps: int) -> None:
    """A whole training step of dense SGD, of factorization here, and of factorization by parametrize; one thread."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    for task in ("lenet300-fmnist", *(() if device == "cpu" else ("resnet18-cifar10",))):
        _bench_task(task, device, rounds, steps)


def _bench_task(task: str, device: str, rounds: int, steps: int) -> None:
    contenders: dict[str, Step] = {"dense": ours(task, "dense", device)}
    contenders |= {f"dwf[depth={d}]": ours(task, f"dwf[depth={d}]", device) for d in (1, 2, 3, 4, 8)}
    contenders |= {f"parametrize, depth {d}": parametrized(task, d, device) for d in (2, 3, 4)}
    times = alternate(contenders, rounds, steps, device)
    table = Table(title=f"{task}, batch {get_task(task).batch_size}, {device}", title_justify="left")
    for column in ("step of", "median ms", "ratio to dense"):
        table.add_column(column, justify="right" if column != "step of" else "left")
    for name, milliseconds in times.items():
        table.add_row(escape(name), f"{milliseconds:.2f}", f"{milliseconds / times['dense']:.2f}")
    Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--steps", type=int, default=10)
    arguments = parser.parse_args()
    bench_update(arguments.device, arguments.rounds, arguments.steps)
