"""Effective weights, checked against paths found by hand and against what a removed weight changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from benchmark.data.split import Data
from benchmark.training.effective import effective_nonzeros
from benchmark.training.loop import train
from methods.core.network import prunable_names
from methods.core.registry import parse
from tests.builders import batch_norm_cnn, dropout_mlp, mlp, toy_task

IMAGE = torch.zeros(1, 1, 4, 4)


def test_a_weight_without_a_way_in_or_a_way_out_does_not_count() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2))
    with torch.no_grad():
        # Unit 0 has inputs 0 and 1, unit 1 has input 2, unit 2 has none, though its bias makes it active.
        model.get_parameter("0.weight").copy_(torch.tensor([[1.0, -1e-30, 0], [0, 0, -2], [0, 0, 0]]))
        # Output 0 reads units 0 and 2; unit 1 is read by nobody.
        model.get_parameter("2.weight").copy_(torch.tensor([[-5.0, 0, 3], [0, 0, 0]]))
        model.get_parameter("0.bias").fill_(1.0)
    assert effective_nonzeros(model, torch.zeros(1, 3)) == 3
    with torch.no_grad():
        model.get_parameter("2.weight").zero_()
    assert effective_nonzeros(model, torch.zeros(1, 3)) == 0


class Block(nn.Module):
    """A residual block with a pooled head, in which activity passes a skip, batch norm and pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.norm, self.head = nn.BatchNorm2d(4), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.first(x), inplace=True)
        x = functional.max_pool2d(x, 3, stride=2, padding=1)
        x = x + torch.relu(self.norm(self.second(x)))
        return self.head(2 * x.mean((2, 3)) + 1)


def _thin(model: nn.Module, seed: int) -> torch.Tensor:
    """Give a model positive weights with many zeros, and return which of its weights change its output if they go."""
    stream = torch.Generator().manual_seed(seed)
    changed = []
    model.double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.rand(parameter.shape, generator=stream, dtype=torch.float64) + 0.1)
        weights = [model.get_parameter(name) for name in prunable_names(model)]
        for weight in weights:
            weight.mul_(torch.rand(weight.shape, generator=stream) < (0.1 if weight.dim() > 2 else 0.3))
        images = torch.rand(8, 2, 5, 5, generator=stream, dtype=torch.float64)

        def spread() -> torch.Tensor:  # what the inputs change, since constants do not count
            outputs = model(images)
            return outputs[1:] - outputs[:1]

        before = spread()
        for weight in weights:
            flat = weight.view(-1)
            for place in flat.nonzero().flatten().tolist():
                value = flat[place].item()
                flat[place] = 0
                changed.append(not torch.allclose(spread(), before, rtol=1e-9, atol=1e-12))
                flat[place] = value
    return torch.tensor(changed)


def _plain() -> nn.Module:
    """Return a network in which every weight is in a sum, so that a maximum hides none of them."""
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, stride=2), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(),
        nn.Linear(24, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3),
    )  # fmt: skip


@pytest.mark.parametrize("build", [Block, _plain])
def test_the_weights_that_count_are_those_that_change_what_the_network_computes(build: Callable[[], nn.Module]) -> None:
    kinds = set()
    for seed in range(5):
        torch.manual_seed(0)
        model = build()
        changed = _thin(model, seed)
        assert effective_nonzeros(model.float(), torch.zeros(1, 2, 5, 5)) == changed.sum()
        kinds |= set(changed.tolist())
    assert kinds == {True, False}


def test_a_batch_norm_whose_scale_is_zero_ends_a_path() -> None:
    model = batch_norm_cnn()
    everything = effective_nonzeros(model, IMAGE)
    with torch.no_grad():
        model.get_parameter("1.weight")[0] = 0  # one of the six channels, with 9 weights before it and 4 x 9 behind it
    assert everything == 6 * 9 + 8 * 3 * 9 + 128 and effective_nonzeros(model, IMAGE) == everything - 9 - 4 * 9


def test_depth_neither_overflows_nor_underflows() -> None:
    layers = [layer for _ in range(400) for layer in (nn.Linear(10, 10), nn.ReLU())]
    assert effective_nonzeros(nn.Sequential(*layers), torch.zeros(1, 10)) == 400 * 100


class Standardized(nn.Conv2d):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(x, self.weight - self.weight.mean())


class Positioned(nn.Linear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x + torch.ones(1, 4))


@pytest.mark.parametrize(
    "layer",
    [
        nn.LayerNorm(4),
        Standardized(1, 1, 1),
        Positioned(4, 4),
        nn.TransformerEncoderLayer(4, 1, 4, dropout=0, batch_first=True),
        nn.Softmax(-1),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_network_that_is_not_covered_has_no_count(layer: nn.Module) -> None:
    assert effective_nonzeros(nn.Sequential(nn.Linear(4, 4), layer), IMAGE) is None


def test_the_row_of_a_run_has_its_effective_compression(toy_data: Data) -> None:
    task = toy_task(dropout_mlp)
    (row,) = (result.measured for result in train(task, parse("random"), [0.03], [0], 1, 0.1, toy_data, "float32"))
    assert row.effective_nonzeros is not None and row.nonzeros is not None
    assert row.effective_nonzeros < row.nonzeros
    (whole,) = (r.measured for r in train(toy_task(mlp), parse("dense"), [1.0], [0], 1, 0.1, toy_data, "float32"))
    assert (whole.effective_nonzeros, whole.effective_density, whole.effective_compression) == (240, 1, 1)
