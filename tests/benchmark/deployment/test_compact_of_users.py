"""Networks as users write them compute the same without their dead units, whatever zeros they have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import prune

from benchmark.deployment.compact import compact
from benchmark.errors import UsageError

relu, linear_by = functional.relu, functional.linear
Forward = Callable[..., torch.Tensor]


class Written(nn.Module):
    """A network whose forward pass is a function of its layers and the input."""

    def __init__(self, forward: Forward, **layers: nn.Module):
        super().__init__()
        self._forward = forward
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._forward(self, x)


def in_place_through_a_view(net: Any, x: torch.Tensor) -> torch.Tensor:
    hidden = relu(net.a(x.flatten(1)))
    hidden[:, :8].fill_(2.0)
    return net.b(hidden)


def set_items(net: Any, x: torch.Tensor) -> torch.Tensor:
    hidden = relu(net.a(x.flatten(1)))
    hidden[:, 0] = 1.0
    return net.b(hidden)


def written_out(net: Any, x: torch.Tensor) -> torch.Tensor:
    hidden = net.a(x.flatten(1))
    torch.add(hidden, 1, out=hidden)
    return net.b(hidden)


def linear(inputs: int, outputs: int) -> nn.Module:
    return nn.Linear(inputs, outputs)


def conv(inputs: int, outputs: int, groups: int = 1) -> nn.Module:
    return nn.Conv2d(inputs, outputs, 3, padding=1, groups=groups)


NETWORKS: dict[str, tuple[Forward, dict[str, nn.Module]]] = {
    "in place through a view": (in_place_through_a_view, {"a": linear(108, 16), "b": linear(16, 4)}),
    "set items": (set_items, {"a": linear(108, 16), "b": linear(16, 4)}),
    "out": (written_out, {"a": linear(108, 16), "b": linear(16, 4)}),
    "squared relu": (lambda net, x: net.b(relu(net.a(x.flatten(1))) ** 2), {"a": linear(108, 16), "b": linear(16, 4)}),
    "a bound of data": (
        lambda net, x: net.b(net.a(x.flatten(1)).clamp(max=x.mean())),
        {"a": linear(108, 16), "b": linear(16, 4)},
    ),
    "a size in the code": (
        lambda net, x: net.b(functional.max_pool2d(relu(net.c2(relu(net.c1(x)))), 2).view(-1, 72)),
        {"c1": conv(3, 8), "c2": conv(8, 8), "b": linear(72, 4)},
    ),
    "no size in the code": (
        lambda net, x: net.b(functional.max_pool2d(relu(net.c1(x)), 2).view(x.size(0), -1)),
        {"c1": conv(3, 8), "b": linear(72, 4)},
    ),
    "two paths, one dead": (
        lambda net, x: net.b(torch.cat([relu(net.c1(x)), relu(net.c2(x))], 1).amax((2, 3))),
        {"c1": conv(3, 8), "c2": conv(3, 4), "b": linear(12, 4)},
    ),
    "groups": (
        lambda net, x: net.b(relu(net.c2(relu(net.c1(x)))).mean(3).mean(2)),
        {"c1": conv(3, 8), "c2": conv(8, 8, groups=2), "b": linear(8, 4)},
    ),
    "squeezed": (
        lambda net, x: net.b(functional.adaptive_avg_pool2d(net.c1(x), 1).squeeze(-1).squeeze(2)),
        {"c1": conv(3, 8), "b": linear(8, 4)},
    ),
    "a gate": (
        lambda net, x: net.b((relu(net.c1(x)) * torch.sigmoid(net.c2(x))).flatten(1)),
        {"c1": conv(3, 4), "c2": conv(3, 4), "b": linear(144, 4)},
    ),
    "resized": (
        lambda net, x: net.b(functional.interpolate(relu(net.c1(x)), scale_factor=2, mode="bilinear").amax((2, 3))),
        {"c1": conv(3, 8), "b": linear(8, 4)},
    ),
    "summed over places": (
        lambda net, x: net.b(relu(net.c1(x)).sum((2, 3)).to(torch.float32)),
        {"c1": conv(3, 8), "b": linear(8, 4)},
    ),
    "places in a row": (
        lambda net, x: net.b(relu(net.c1(x)).flatten(2).mean(2)),
        {"c1": conv(3, 8), "b": linear(8, 4)},
    ),
    "a learned number": (
        lambda net, x: net.b(relu(net.a(x.flatten(1))) * net.scale.weight),
        {"a": linear(108, 16), "b": linear(16, 4), "scale": nn.PReLU()},
    ),
    "weights that decode, too": (
        lambda net, x: linear_by(relu(linear_by(net.b(relu(net.a(x.flatten(1)))), net.b.weight.t())), net.a.weight.t()),
        {"a": linear(108, 16), "b": linear(16, 4)},
    ),
    "a norm of weights": (
        lambda net, x: net.b(relu(net.a(x.flatten(1)))) * net.a.weight.abs().mean(),
        {"a": linear(108, 16), "b": linear(16, 4)},
    ),
    "by way of numpy": (
        lambda net, x: net.b(torch.from_numpy(relu(net.a(x.flatten(1))).detach().numpy())),
        {"a": linear(108, 16), "b": linear(16, 4)},
    ),
    "a reversal of units": (
        lambda net, x: net.b(net.a(x.flatten(1)).flip(1)),
        {"a": linear(108, 16), "b": linear(16, 4)},
    ),
}


def degrade(net: nn.Module, seed: int) -> None:
    """Give weights random zeros, also whole rows and columns, and biases some; the first layer may lose all."""
    torch.manual_seed(seed)
    for place, parameter in enumerate(net.parameters()):
        nn.init.normal_(parameter)
        if parameter.dim() > 1:
            parameter.data *= torch.rand_like(parameter) < (0 if place == seed == 0 else (0.02, 0.1, 0.4)[seed % 3])
            parameter.data[torch.rand(len(parameter)) < 0.3] = 0
            parameter.data[:, torch.rand(parameter.shape[1]) < 0.3] = 0
        else:
            parameter.data *= torch.rand_like(parameter) < 0.5


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_are_the_same_whatever_zeros_there_are(name: str) -> None:
    forward, layers = NETWORKS[name]
    net = Written(forward, **layers).eval()
    for seed in range(9):
        degrade(net, seed)
        small = compact(net, torch.randn(1, 3, 6, 6))
        with torch.no_grad():
            for size in (1, 30):
                x = size * torch.randn(5, 3, 6, 6)
                wanted = net(x)
                torch.testing.assert_close(small(x), wanted, rtol=0, atol=1e-5 * float(wanted.abs().max()) + 1e-12)


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("two paths, one dead", 0.6),
        ("squeezed", 0.6),
        ("resized", 0.6),
        ("summed over places", 0.6),
        ("places in a row", 0.6),
        ("a learned number", 0.8),
        ("a size in the code", 0.9),
    ],
)
def test_common_ways_to_write_a_network_leave_dead_units_to_remove(name: str, left: float) -> None:
    forward, layers = NETWORKS[name]
    net = Written(forward, **layers)
    degrade(net, 3)
    small = compact(net, torch.randn(1, 3, 6, 6))
    sizes = [sum(parameter.numel() for parameter in network.parameters()) for network in (small, net)]
    assert sizes[0] < left * sizes[1]


def test_masks_of_torch_are_made_permanent_first() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    prune.l1_unstructured(net[0], "weight", 0.5)
    with pytest.raises(UsageError, match=r"the network cannot be copied .*; it stays whole"):
        compact(net, torch.zeros(1, 4))
    prune.remove(net[0], "weight")
    compact(net, torch.zeros(1, 4))


def two_layers(forward: Forward) -> Written:
    net = Written(forward, a=linear(108, 16), b=linear(16, 4))
    with torch.no_grad():
        net.get_parameter("a.weight")[:6] = 0
    return net


@pytest.mark.parametrize(
    "outputs",
    [
        lambda out: out > 0,
        lambda out: out.argmax(1),
        lambda out: out.log(),  # not a number where an output is negative
        lambda out: {"out": out, "empty": out[:, :0], "none": None, "number": 3},
        lambda out: torch.complex(out, out),
        lambda out: float(out.sum()),
    ],
)
def test_outputs_of_all_types_are_compared(outputs: Callable[[torch.Tensor], Any]) -> None:
    net = two_layers(lambda net, x: outputs(net.b(relu(net.a(x.flatten(1))))))
    assert compact(net, torch.randn(1, 3, 6, 6)).get_parameter("a.weight").shape == (10, 108)


def test_an_output_that_becomes_no_number_is_a_difference() -> None:
    net = two_layers(lambda net, x: net.b(hidden := net.a(x.flatten(1))) * torch.tensor(hidden.shape[1] - 15.5).log())
    with pytest.raises(UsageError, match="computes something else"):
        compact(net, torch.randn(1, 3, 6, 6))


def test_an_example_of_zeros_does_not_hide_a_difference() -> None:
    net = two_layers(lambda net, x: net.b(relu(hidden := net.a(x.flatten(1)))) * hidden.shape[1])
    nn.init.zeros_(net.get_parameter("a.bias"))
    nn.init.zeros_(net.get_parameter("b.bias"))
    with pytest.raises(UsageError, match="computes something else"):
        compact(net, torch.zeros(1, 3, 6, 6))


def test_outputs_whose_tensors_are_not_known_are_one_sentence() -> None:
    @dataclass
    class Output:
        logits: torch.Tensor

    net = two_layers(lambda net, x: Output(net.b(relu(net.a(x.flatten(1))))))  # type: ignore[arg-type, return-value]
    with pytest.raises(UsageError, match="returns Output, whose tensors are not known; it stays whole"):
        compact(net, torch.randn(1, 3, 6, 6))


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_networks_of_low_precision_lose_their_dead_units(kind: torch.dtype) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(20, 64), nn.Sigmoid(), nn.Linear(64, 8))
    nn.init.zeros_(net.get_parameter("0.weight")[:20])
    small = compact(net.to(kind), torch.randn(1, 20, dtype=kind))
    assert small.get_parameter("0.weight").shape == (44, 20)


def test_weights_that_an_embedding_shares_stay_and_others_go() -> None:
    net = Written(
        lambda net, x: linear_by(relu(net.c(relu(net.a(net.e(x))))), net.e.weight),
        e=nn.Embedding(30, 16),
        a=linear(16, 12),
        c=linear(12, 16),
    )
    with torch.no_grad():
        net.get_parameter("a.weight")[:5] = 0
        net.get_parameter("c.weight")[:5] = 0
    tokens = torch.arange(8)[None]
    small = compact(net, tokens)
    assert [small.get_parameter(f"{name}.weight").shape for name in "eac"] == [(30, 16), (7, 16), (16, 7)]
    torch.testing.assert_close(small(tokens), net(tokens))
