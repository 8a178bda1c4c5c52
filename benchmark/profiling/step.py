"""How long a training step takes: dense, factorized, and by torch's parametrization."""

from __future__ import annotations

import argparse
from typing import Any

import torch
from torch.nn.utils import parametrize

from benchmark.data.inputs import InMemory
from benchmark.data.synthetic import synthetic_data
from benchmark.profiling.timing import Step, alternate, show, timed
from benchmark.tasks.registry import get_task
from benchmark.training.devices import numerics
from benchmark.training.evaluation import cross_entropy
from benchmark.training.probe import Probe
from methods.core.network import Network, prunable_names
from methods.core.optimizers import Sgd
from methods.core.registry import parse


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
    split = synthetic_data(task.shape, task.classes).to(device).train
    inputs, labels = split[0][: task.batch_size], split[1][: task.batch_size]
    probe = Probe(net, (InMemory(inputs), labels), task.batch_size, [0], [1e-3])
    method.bind(net, [1.0], task.optimizer, task.weight_decay, probe)
    other_state, rate = task.optimizer.state(net.other_params), net.weights.new_full((), 1e-3)

    def step() -> None:
        net.zero_grad()
        cross_entropy(net.forward(inputs), labels).mean(1).sum().backward()
        with torch.no_grad():
            method.update(rate)
            task.optimizer.step(net.other_params, net.other_grad, other_state, rate)

    return step


def parametrized(task_name: str, depth: int, device: str) -> Step:
    """The same step through torch.nn.utils.parametrize, autograd and torch.optim.SGD."""
    task = get_task(task_name)
    assert isinstance(task.optimizer, Sgd)
    model = task.model().to(device)
    for name in prunable_names(model):
        path, _, attribute = name.rpartition(".")
        parametrize.register_parametrization(model.get_submodule(path), attribute, _Product(depth))
    factors = [parameter for name, parameter in model.named_parameters() if ".parametrizations." in name]
    others = [parameter for name, parameter in model.named_parameters() if ".parametrizations." not in name]
    groups: list[dict[str, Any]] = [{"params": factors, "weight_decay": 1e-4}, {"params": others}]
    optimizer = torch.optim.SGD(groups, lr=1e-3, momentum=task.optimizer.momentum)
    split = synthetic_data(task.shape, task.classes).to(device).train
    inputs, labels = split[0][: task.batch_size], split[1][: task.batch_size]

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()

    return step


def bench_update(device: str, rounds: int, steps: int) -> None:
    """A whole training step of dense SGD, of factorization here, and of factorization by parametrize; one thread."""
    with numerics():
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
