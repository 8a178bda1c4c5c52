"""Shared fixtures: one thread, small networks, and a task that trains in a moment."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import settings

from benchmark.data.split import Data
from benchmark.data.synthetic import made
from benchmark.tasks.task import Task
from methods.core.network import Network
from methods.core.optimizers import Sgd

torch.set_num_threads(1)
# Tests that run in the background inherit that Ctrl-C is ignored, and hand it on to the sweeps that they interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("sparsefront", deadline=None)  # machines are shared and noisy
settings.load_profile("sparsefront")


def mlp(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    nn = torch.nn
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 4))


def batch_norm_cnn(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    nn = torch.nn
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


def dropout_mlp(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    nn = torch.nn
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, 4))


@pytest.fixture(params=[mlp, batch_norm_cnn], ids=["mlp", "batch-norm-cnn"])
def architecture(request: pytest.FixtureRequest) -> Callable[[int], torch.nn.Module]:
    return request.param


@pytest.fixture
def net() -> Network:
    return Network([mlp()])


class FakeProbe:
    """A probe with a made gradient, for methods that are tested without a suite."""

    def __init__(self, net: Network, learning_rates: list[float]):
        self.net, self.learning_rates = net, learning_rates
        self.made = torch.zeros_like(net.weights)
        self.shape = (net.layers[0].shape[1],)

    def generators(self) -> list[torch.Generator]:
        return [torch.Generator().manual_seed(7) for _ in range(self.net.runs)]

    def gradient(self, batches: int, first: int = 0) -> torch.Tensor:
        return self.made

    def hessian_gradient(self, per_class: int, temperature: float) -> torch.Tensor:
        return self.made


def toy_task(build: Callable[[int], torch.nn.Module] = mlp, **recipe: Any) -> Task:
    """A task on made data of 4 x 4 pixels and four classes; `build` is called with torch's own seed."""
    defaults = {
        "model": lambda: build(torch.initial_seed()),
        "data": lambda folder: made((1, 4, 4), 4),
        "shape": (1, 4, 4),
        "classes": 4,
        "examples": 2_000,
        "epochs": 2,
        "batch_size": 100,
        "learning_rate": 0.1,
        "learning_rates": {"dwf": 0.3},
        "optimizer": Sgd(0.9),
        "weight_decay": 1e-3,
    }
    return Task(**(defaults | recipe))


@pytest.fixture(scope="session")
def toy_data() -> Data:
    return made((1, 4, 4), 4)
