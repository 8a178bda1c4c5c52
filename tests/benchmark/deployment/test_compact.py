"""Compaction removes dead units exactly: the outputs stay, and layers have the sizes that are computed by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

from benchmark.contract.stage import mlp, results
from benchmark.deployment.compact import compact
from benchmark.errors import UsageError
from benchmark.models.lenets import lenet5, lenet300
from benchmark.models.resnets import resnet18, resnet20
from benchmark.models.vggs import vgg
from benchmark.models.wide_resnet import wide_resnet22
from methods.core.prunable import prunable_names


def equal(model: nn.Module, small: nn.Module, example: torch.Tensor) -> None:
    """Check that two networks compute the same for other inputs than the example."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(8, *example.shape[1:], generator=generator)
    with torch.no_grad():
        wanted, got = model.eval()(x), small(x)
    assert wanted.std() > 0
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5 * max(1.0, float(wanted.abs().max())))


def pruned(model: nn.Module, density: float, units: float = 0.0, seed: int = 0) -> nn.Module:
    """Keep a random share of each weight, and no weight into a share of the units; norms and biases become random."""
    generator = torch.Generator().manual_seed(seed)
    weights = prunable_names(model)
    for name, value in (*model.named_parameters(), *model.named_buffers()):
        if name in weights:
            value.data *= torch.rand(value.shape, generator=generator) < density
            if name != weights[-1]:
                dead = torch.rand(len(value), generator=generator) < units
                value.data[dead] = 0
        elif value.is_floating_point():
            value.data += 0.2 * torch.rand(value.shape, generator=generator)
    return model


def shapes(model: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(parameter.shape) for parameter in model.parameters() if parameter.dim() > 1]


def perceptron() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), nn.ReLU(), nn.Linear(2, 1))


def test_dead_units_go_and_their_constants_move_to_the_next_bias() -> None:
    model = perceptron()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(1)
        model.get_parameter("0.weight")[1] = 0  # the second unit has no input and is relu(2) = 2 for all inputs
        model.get_parameter("0.bias")[1] = 2
        model.get_parameter("2.weight")[:, 3] = 0  # the fourth has no output
        model.get_parameter("2.weight")[:, 1] = torch.tensor([1.0, 3.0])
    small = compact(model, torch.zeros(1, 3))
    assert shapes(small) == [(2, 3), (2, 2), (1, 2)]
    assert small.get_parameter("2.bias").tolist() == [1 + 2, 1 + 6]
    assert small.get_submodule("0").extra_repr() == "in_features=3, out_features=2, bias=True"
    equal(model, small, torch.zeros(1, 3))


def test_death_spreads_in_both_directions() -> None:
    model = perceptron()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(1)
        model.get_parameter("4.weight")[0, 1] = 0  # the second unit of the second layer has no output
        model.get_parameter("2.weight")[0, 2:] = 0  # so two units of the first layer have none either
        model.get_parameter("0.weight")[0] = 0  # and one of the others no input
    small = compact(model, torch.zeros(1, 3))
    assert shapes(small) == [(1, 3), (1, 1), (1, 1)]
    equal(model, small, torch.zeros(1, 3))


def test_a_network_without_weights_keeps_a_unit_in_each_layer() -> None:
    model = perceptron()
    for name in ("0.weight", "2.weight", "4.weight"):
        nn.init.zeros_(model.get_parameter(name))
    small = compact(model, torch.zeros(1, 3))
    assert shapes(small) == [(1, 3), (1, 1), (1, 1)]
    torch.testing.assert_close(small(torch.randn(4, 3)), model(torch.randn(4, 3)))


def test_the_model_itself_stays_as_it_is() -> None:
    model = pruned(perceptron(), 0.4).train()
    before = copy.deepcopy(model.state_dict())
    small = compact(model, torch.zeros(1, 3))
    assert model.training and not small.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


class Convolutions(nn.Module):
    """Two convolutions, the second with zero padding or without, and a linear layer."""

    def __init__(self, padding: int):
        super().__init__()
        self.first, self.norm = nn.Conv2d(2, 5, 3, bias=False), nn.BatchNorm2d(5)
        self.second = nn.Conv2d(5, 3, 3, padding=padding, bias=False)
        self.head = nn.Linear(3 * (4 + 2 * padding) ** 2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.second(torch.relu(self.norm(self.first(x))))
        return self.head(x.view(x.size(0), -1))


@pytest.mark.parametrize(("padding", "left"), [(0, 2), (1, 3)])
def test_constants_at_a_padded_border_are_gathered_in_one_channel(padding: int, left: int) -> None:
    model, example = pruned(Convolutions(padding), 1.0), torch.zeros(1, 2, 8, 8)
    with torch.no_grad():
        model.get_parameter("first.weight")[:3] = 0  # three of five channels are constant after the norm
        model.get_parameter("norm.bias").fill_(1.0)
    small = compact(model, example)
    assert small.get_parameter("first.weight").shape == (left, 2, 3, 3)
    assert small.get_parameter("second.weight").shape == (3, left, 3, 3)
    assert small.get_buffer("norm.running_mean").shape == (left,)
    assert (small.get_submodule("second").bias is None) == (padding == 1)
    equal(model, small, example)


def test_a_scale_of_zero_makes_a_channel_constant() -> None:
    model, example = pruned(Convolutions(0), 1.0), torch.zeros(1, 2, 8, 8)
    with torch.no_grad():
        model.get_parameter("norm.weight")[4] = 0
    small = compact(model, example)
    assert small.get_parameter("first.weight").shape[0] == 4
    equal(model, small, example)


class Separable(nn.Module):
    """A depthwise convolution between two pointwise ones, with a skip around them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 6, 3, padding=1)
        self.expand, self.depthwise = nn.Conv2d(6, 12, 1), nn.Conv2d(12, 12, 3, padding=1, groups=12)
        self.project, self.head = nn.Conv2d(12, 6, 1), nn.Linear(6, 3)
        self.activation = nn.ReLU6(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.activation(self.stem(x))
        x = x + self.project(self.activation(self.depthwise(self.activation(self.expand(x)))))
        return self.head(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))


def test_a_depthwise_convolution_loses_the_channels_around_it() -> None:
    model, example = pruned(Separable(), 1.0), torch.zeros(1, 1, 6, 6)
    with torch.no_grad():
        model.get_parameter("expand.weight")[0] = 0  # is a constant, which the depthwise padding ends at the border
        model.get_parameter("expand.bias")[0] = -1.0  # or zero
        model.get_parameter("depthwise.weight")[1] = 0
        model.get_parameter("project.weight")[:, 2] = 0
        model.get_parameter("stem.weight")[5] = 0  # stays, since the skip needs the sum
        model.get_parameter("project.weight")[4] = 0
        model.get_parameter("stem.weight")[4] = 0  # goes, since both terms are constant
    small = compact(model, example)
    assert small.get_parameter("depthwise.weight").shape == (9, 1, 3, 3)
    assert small.get_submodule("depthwise").groups == 9 and small.get_submodule("expand").in_channels == 5
    equal(model, small, example)


@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (lambda: lenet300(784, 10), (1, 28, 28)),
        (lambda: lenet5(1, 10), (1, 28, 28)),
        (lambda: vgg(16, 10), (3, 32, 32)),
        (lambda: resnet20(10), (3, 32, 32)),
        (lambda: resnet18(10), (3, 32, 32)),
        (lambda: wide_resnet22(10), (3, 32, 32)),
    ],
)
@pytest.mark.parametrize(("density", "units"), [(0.3, 0.3), (0.02, 0.5)])
def test_networks_of_the_tasks_compute_the_same(
    build: Callable[[], nn.Module], shape: tuple[int, ...], density: float, units: float
) -> None:
    torch.manual_seed(0)
    model, example = pruned(build(), density, units), torch.zeros(1, *shape)
    small = compact(model, example)
    sizes = [sum(p.numel() for p in network.parameters()) for network in (model, small)]
    assert sizes[1] < 0.8 * sizes[0]
    equal(model, small, example)


def test_the_perceptron_in_a_transformer_loses_its_dead_units() -> None:
    layer = nn.TransformerEncoderLayer(16, 2, 40, activation="gelu", batch_first=True)
    model, example = nn.Sequential(layer, nn.Flatten(), nn.Linear(16 * 5, 3)), torch.zeros(1, 5, 16)
    with torch.no_grad():
        layer.linear1.weight[:10] = 0
        layer.linear1.bias.fill_(0.5)
        layer.linear2.weight[:, 20:25] = 0
    small = compact(model, example)
    assert small.get_parameter("0.linear1.weight").shape == (25, 16)
    assert small.get_parameter("0.linear2.weight").shape == (16, 25)
    equal(model, small, example)


def test_a_vision_transformer_and_an_efficient_net_of_timm_compute_the_same() -> None:
    timm = pytest.importorskip("timm")
    for name, options in (("vit_tiny_patch16_224", {"img_size": 32, "depth": 2}), ("mobilenetv3_small_050", {})):
        torch.manual_seed(0)
        model = pruned(timm.create_model(name, num_classes=10, **options), 0.3, 0.2)
        example = torch.zeros(1, 3, 32, 32)
        small = compact(model, example)
        assert sum(p.numel() for p in small.parameters()) < sum(p.numel() for p in model.parameters())
        equal(model, small, example)


class Branches(nn.Module):
    """Features that are concatenated, scaled and subtracted."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Linear(3, 4), nn.Linear(3, 5), nn.Linear(9, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a, b = torch.sigmoid(self.a(x)), 1 - 2 * torch.tanh(self.b(x))
        return self.head(torch.cat([a, b], 1) / 3)


def test_constants_pass_through_joins_and_numbers() -> None:
    model = Branches()
    with torch.no_grad():
        model.a.weight[1] = 0
        model.b.weight[3:] = 0
    small = compact(model, torch.zeros(1, 3))
    assert small.get_parameter("head.weight").shape == (2, 6)
    equal(model, small, torch.zeros(1, 3))


class Fixed(nn.Module):
    """A forward pass that looks at its sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3), nn.Linear(16, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.first(x))
        if hidden.shape[1] != 4:
            raise ValueError("there must be 4 channels")
        return self.second(hidden.flatten(1))


def test_a_network_that_needs_its_sizes_is_one_sentence() -> None:
    model = Fixed()
    nn.init.zeros_(model.second.weight[:, :4])
    with pytest.raises(UsageError, match=r"does not compute with smaller layers .*there must be 4 channels"):
        compact(model, torch.zeros(1, 1, 4, 4))


def test_a_network_that_computes_with_its_sizes_is_one_sentence() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(3, 8), nn.Linear(8, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(torch.relu(self.first(x)) / self.first.out_features)

    model = Scaled()
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), (1.0, 0.0, 1.0, 30.0), strict=True):
            parameter.fill_(value)
        model.second.weight[:, 2:] = 0
    with pytest.raises(UsageError, match="computes something else with smaller layers"):
        compact(model, torch.full((1, 3), 1e-3))  # the output is 30 + 0.00225, but 30 + 0.0045 without six units


def test_rows_have_the_sizes_of_the_compacted_network() -> None:
    (dense,) = (result.measured for result in results("dense", mlp, [1.0]))
    assert (dense.compact_parameters, dense.compact_macs) == (dense.parameters, dense.macs_dense) == (256, 240)
    (sparse,) = (result.measured for result in results("random", mlp, [0.1]))
    assert sparse.compact_parameters is not None and sparse.compact_macs is not None
    units = (sparse.compact_parameters - 4) / (16 + 1 + 4)  # of 12 between 16 inputs and 4 outputs
    assert units in range(1, 12) and sparse.compact_macs == units * (16 + 4)


def test_a_network_that_cannot_be_traced_is_one_sentence() -> None:
    with pytest.raises(UsageError, match=r"cannot be traced on a CPU \(RuntimeError"):
        compact(perceptron(), torch.zeros(1, 7))


def test_a_weight_that_is_used_twice_stays_whole() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.same, self.last = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(torch.relu(self.same(torch.relu(self.same(torch.relu(self.first(x)))))))

    model = Twice()
    with torch.no_grad():
        model.first.weight[0] = 0
        model.same.weight[1] = 0
    small = compact(model, torch.zeros(1, 3))
    assert small.get_parameter("same.weight").shape == (4, 4)
    equal(model, small, torch.zeros(1, 3))
