"""The small networks, the task and the data on which a method is put to the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from benchmark.data.split import Data
from benchmark.data.synthetic import synthetic_data
from benchmark.models.gpts import Block
from benchmark.tasks.task import Task
from benchmark.training.loop import train
from benchmark.training.measure import Result
from methods.core.base import Method
from methods.core.network import Network
from methods.core.optimizers import Sgd
from methods.core.option_types import ratio
from methods.core.probe import Arguments
from methods.core.registry import parse

Build = Callable[[int], nn.Module]  # builds a network from a seed

# The values of each knob, from mild to strong.
VALUES = {
    "density": [0.5, 0.1, 0.03],
    "strength": [0.5, 2.0, 4.0],
    "penalty": [1e-4, 1e-2, 1e-1],
    "none": [1.0],
}
SHAPE, CLASSES = (1, 4, 4), 4
EPOCHS, STEPS_PER_EPOCH = 2, 20  # 2,000 examples in batches of 100


def values_of(form: str) -> list[float]:
    """Return the values among VALUES that a method's knob can take, from mild to strong."""
    method = parse(form)
    numbers = ratio(getattr(method.inner or method, "distribution", ""))
    return [numbers[0] / numbers[1]] if numbers else VALUES[method.knob]


def mlp(seed: int = 0) -> nn.Sequential:
    """Build a perceptron with 192 + 48 prunable weights."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 4))


def batch_norm_cnn(seed: int = 0) -> nn.Sequential:
    """Build a convolutional network with batch norm and a grouped convolution."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 8, 3, stride=2, padding=1, groups=2),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32, 4),
    )


class Rows(nn.Module):
    """Read each row of an image as a token, by the signs of its pixels, and embed it and its place."""

    def __init__(self, rows: int, columns: int, width: int):
        super().__init__()
        self.token, self.place = nn.Embedding(2**columns, width), nn.Embedding(rows, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bits = 2 ** torch.arange(x.shape[-1], device=x.device)
        embedded: torch.Tensor = self.token(((x[:, 0] > 0) * bits).sum(-1)) + self.place.weight
        return embedded


def transformer(seed: int = 0) -> nn.Sequential:
    """Build a transformer of one block with two heads, which has 256 prunable weights and two embeddings."""
    torch.manual_seed(seed)
    block = Block(length=4, width=4, heads=2)
    return nn.Sequential(Rows(4, 4, width=4), block, nn.LayerNorm(4), nn.Flatten(), nn.Linear(16, 4))


ARCHITECTURES: dict[str, Build] = {"mlp": mlp, "batch-norm-cnn": batch_norm_cnn, "transformer": transformer}


class FakeProbe:
    """A probe with a gradient that the caller sets, for tests that call the steps of a method themselves."""

    def __init__(self, net: Network, learning_rates: list[float]):
        self.net = net
        self.learning_rates = torch.tensor([learning_rates] * net.runs, dtype=torch.float64)
        self.made = torch.ones_like(net.weights)

    def check_data(self) -> None:
        pass

    def ones(self) -> Arguments:
        return (torch.ones(1, self.net.layers[0].shape[1]),), {}

    def generators(self) -> list[torch.Generator]:
        return [torch.Generator().manual_seed(7) for _ in range(self.net.runs)]

    def gradient(self, batches: int, first: int = 0, training: bool = True) -> torch.Tensor:
        return self.made

    def input_norms(self, batches: int) -> torch.Tensor:
        return self.made.abs()

    def example_gradients(self, run: int, count: int) -> Iterator[torch.Tensor]:
        return iter(self.made[run : run + 1].expand(count, -1))

    def hessian_gradient(self, per_class: int, temperature: float) -> torch.Tensor:
        return self.made


def toy_data() -> Data:
    """Return synthetic images of 4 x 4 pixels in four classes."""
    return synthetic_data(SHAPE, CLASSES)


def toy_task(build: Build = mlp, **recipe: Any) -> Task:
    """Return a task on synthetic data that trains in a moment; `recipe` replaces fields of the task."""
    defaults: dict[str, Any] = {
        "model": lambda: build(torch.initial_seed()),
        "data": lambda folder: toy_data(),
        "shape": SHAPE,
        "classes": CLASSES,
        "examples": 2_000,
        "epochs": EPOCHS,
        "batch_size": 100,
        "learning_rate": 0.1,
        "learning_rates": {"dwf": 0.3, "rewa": 0.02},
        "optimizer": Sgd(0.9),
        "weight_decay": 1e-3,
    }
    return Task(**(defaults | recipe))


def results(
    form: str,
    build: Build,
    values: list[float],
    *,
    seeds: list[int] | None = None,
    epochs: int = EPOCHS,
    peak_lr: float | None = None,
    data: Data | None = None,
    precision: str = "float32",
) -> list[Result]:
    """Train runs of a method, given by its written form, and return their results; in a pack if they may be one."""
    task, data, seeds = toy_task(build), data or toy_data(), seeds or [0] * len(values)
    rate = task.learning_rate_of(parse(form)) if peak_lr is None else peak_lr
    size = len(values) if packs_together(parse(form), values) else 1
    parts = [slice(start, start + size) for start in range(0, len(values), size)]
    return [
        result
        for part in parts
        for result in train(task, parse(form), values[part], seeds[part], epochs, rate, data, precision)
    ]


def packs_together(method: Method, values: list[float]) -> bool:
    """Tell whether runs at some values of the knob may be one pack."""
    return method.packs and len({method.phases_at(value) for value in values}) == 1
