"""The time of a training step: dense, factorized, and factorized by torch's parametrization."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch.nn.utils import parametrize

from benchmark.data.inputs import InMemory
from benchmark.profiling.timing import alternate, show, timed
from benchmark.tasks.registry import get_task
from benchmark.training.devices import numerics
from benchmark.training.loop import backward
from benchmark.training.probe import Probe
from methods.core.driver import Driver
from methods.core.network import Network
from methods.core.optimizers import Sgd
from methods.core.prunable import prunable_names
from methods.core.registry import parse

TASKS = ("lenet300-fmnist",)
LR, PENALTY = 1e-3, 1e-4
Contender: TypeAlias = tuple[torch.nn.Module, Callable[[], None]]  # a model and its training step


class _Product(torch.nn.Module):
    """The product w = omega_1 * ... * omega_D as a parametrization of torch, which autograd differentiates."""

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


def ours(task_name: str, method_name: str, device: str, value: float = 1.0) -> Contender:
    """Return the model of a task and a training step of it by this suite."""
    task, method = get_task(task_name), parse(method_name)
    net = Network([task.model().to(device)])
    x, y = _batch(task_name, device)
    probe = Probe(
        net, (InMemory(x), y), task.batch_size, [0], torch.tensor([[LR]], dtype=torch.float64), task.objective
    )
    driver = Driver(net, method, [value], task.optimizer, task.weight_decay, probe, budget=1)

    def step() -> None:
        backward(net, x, y, False, "float32", task.objective)
        with torch.no_grad():
            driver.step(LR, LR)

    return net.model, step


def parametrized(task_name: str, depth: int, device: str) -> Contender:
    """Return the model of a task and a step by torch.nn.utils.parametrize, autograd and torch.optim.SGD.

    The steps are those of `dwf[init=ones,rates=equal,by=penalty]` at the value PENALTY.
    """
    task = get_task(task_name)
    assert isinstance(task.optimizer, Sgd)
    model = task.model().to(device)
    for name in prunable_names(model):
        path, _, attribute = name.rpartition(".")
        parametrize.register_parametrization(model.get_submodule(path), attribute, _Product(depth))
    factors = [parameter for name, parameter in model.named_parameters() if ".parametrizations." in name]
    others = [parameter for name, parameter in model.named_parameters() if ".parametrizations." not in name]
    groups: list[dict[str, Any]] = [{"params": factors, "weight_decay": 2 * PENALTY / depth}, {"params": others}]
    optimizer = torch.optim.SGD(groups, lr=LR, momentum=task.optimizer.momentum)
    x, y = _batch(task_name, device)

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    return model, step


def _batch(task_name: str, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the first synthetic batch of a task."""
    task = get_task(task_name)
    inputs, labels = task.synthetic_data().to(device).train
    return inputs[: task.batch_size], labels[: task.batch_size]


def bench_update(device: str, rounds: int, steps: int) -> None:
    """Print the time of a training step on one thread by dense SGD, by `dwf` and by torch's parametrization."""
    with numerics():
        for task in TASKS if device == "cpu" else (*TASKS, "resnet18-cifar10"):
            _bench_task(task, device, rounds, steps)


def _bench_task(task: str, device: str, rounds: int, steps: int) -> None:
    contenders = {"dense": ours(task, "dense", device)}
    for depth in (1, 2, 3, 4, 8):
        contenders[f"dwf[depth={depth}]"] = ours(task, f"dwf[depth={depth},by=penalty]", device, PENALTY)
    contenders |= {f"parametrize, depth {d}": parametrized(task, d, device) for d in (2, 3, 4)}
    times = alternate({name: timed(step, steps, device) for name, (_, step) in contenders.items()}, rounds)
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
