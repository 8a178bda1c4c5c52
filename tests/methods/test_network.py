"""The flat tensors of R networks: their views, gradients and outputs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from benchmark.data.objective import cross_entropy
from benchmark.models.lenets import lenet5
from methods.core.network import Network
from methods.core.prunable import prunable_names
from tests.builders import batch_norm_cnn, mlp

Build = Callable[[int], torch.nn.Module]


def batch(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(10, 1, 4, 4, generator=generator), torch.arange(10) % 4


def backward(net: Network, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    logits = net.forward(x)
    torch.stack([torch.nn.functional.cross_entropy(row, y) for row in logits]).sum().backward()
    return logits.detach()


def test_prunable_weights_are_those_of_linear_and_convolutional_modules() -> None:
    assert prunable_names(batch_norm_cnn()) == ["0.weight", "3.weight", "7.weight"]

    class Named(torch.nn.Module):
        """A module whose names would mislead a search for substrings."""

        def __init__(self) -> None:
            super().__init__()
            self.bias_conv_norm = torch.nn.Linear(2, 3)
            self.linear_weight = torch.nn.Parameter(torch.zeros(2))
            self.tied = torch.nn.Linear(2, 3)
            self.tied.weight = self.bias_conv_norm.weight

    assert prunable_names(Named()) == ["bias_conv_norm.weight"]


def test_flat_tensors_share_memory_with_the_model(architecture: Build) -> None:
    model = architecture(0)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    net = Network([model])
    assert net.weights.shape[1] + net.other_params.shape[1] == sum(p.numel() for p in before.values())
    for layer in net.layers:
        assert torch.equal(net.weights[0, layer.span].view(layer.shape), before[layer.name])
    net.weights.mul_(2)
    for layer in net.layers:
        assert torch.equal(model.get_parameter(layer.name), 2 * before[layer.name])


def test_gradients_are_written_to_the_flat_tensor(architecture: Build) -> None:
    x, y = batch()
    reference = architecture(0)
    torch.nn.functional.cross_entropy(reference(x), y).backward()
    net = Network([architecture(0)])
    for _ in range(2):  # a second pass after zero_grad gives the same, not twice as much
        net.zero_grad()
        backward(net, x, y)
    for layer in net.layers:
        expected = reference.get_parameter(layer.name).grad
        assert expected is not None
        torch.testing.assert_close(net.grad[0, layer.span].view(layer.shape), expected)


def test_a_pack_computes_the_same_as_its_members_alone(architecture: Build) -> None:
    """Logits, gradients and running statistics agree, in training and in evaluation."""
    x, y = batch()
    pack = Network([architecture(seed) for seed in range(3)])
    alone = [Network([architecture(seed)]) for seed in range(3)]
    logits = backward(pack, x, y)
    for run, net in enumerate(alone):
        torch.testing.assert_close(logits[run : run + 1], backward(net, x, y))
        torch.testing.assert_close(pack.grad[run : run + 1], net.grad)
        torch.testing.assert_close(pack.other_grad[run : run + 1], net.other_grad)
        plain = pack.plain(run)
        for (name, ours), theirs in zip(plain.state_dict().items(), net.model.state_dict().values(), strict=True):
            torch.testing.assert_close(ours, theirs, msg=name)
        plain.eval()
        net.model.eval()
        torch.testing.assert_close(plain(x), net.model(x))
    pack.model.eval()
    evaluated = pack.forward(x)
    for run, net in enumerate(alone):
        torch.testing.assert_close(evaluated[run], net.model(x))


def test_a_pack_is_autocast_like_its_members_alone(architecture: Build) -> None:
    """Under vmap torch's autocast leaves convolutions and biases in float32, and its batch norm takes no bf16."""
    x, y = batch()
    pack = Network([architecture(seed) for seed in range(2)])
    alone = [Network([architecture(seed)]) for seed in range(2)]
    exact = Network([architecture(seed) for seed in range(2)]).forward(x)
    with torch.autocast("cpu", torch.bfloat16):
        logits = pack.forward(x)
        theirs = torch.cat([net.forward(x) for net in alone])
    assert logits.dtype == theirs.dtype == torch.bfloat16
    torch.testing.assert_close(logits, theirs, atol=0.02, rtol=0.02)
    assert (logits - exact).abs().max() > 1e-4  # and not float32's, rounded at the end
    for found in (logits, theirs):
        cross_entropy(found, y).mean(1).sum().backward()
    assert pack.grad.dtype == torch.float32
    torch.testing.assert_close(pack.grad, torch.cat([net.grad for net in alone]), atol=0.02, rtol=0.1)
    for ours, lone in zip(pack.buffers(), zip(*(net.buffers() for net in alone), strict=True), strict=True):
        torch.testing.assert_close(ours, torch.stack(lone), atol=0.01, rtol=0.01)


def test_members_of_a_pack_are_independent() -> None:
    x, y = batch()
    pack = Network([mlp(seed) for seed in range(2)])
    with torch.no_grad():
        pack.weights[1] = torch.nan
    pack.zero_grad()
    logits = backward(pack, x, y)
    assert logits[0].isfinite().all() and pack.grad[0].isfinite().all()
    assert logits[1].isnan().all()


@pytest.mark.parametrize("run", [0, 1])
def test_a_plain_copy_is_independent(run: int) -> None:
    pack = Network([mlp(seed) for seed in range(2)])
    plain = pack.plain(run)
    before = pack.weights.clone()
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.zero_()
    assert torch.equal(pack.weights, before)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_lone_network_computes_images_with_channels_last(channels: int) -> None:
    torch.manual_seed(0)
    model, x = lenet5(channels, 4), torch.randn(5, channels, 28, 28)
    expected = model(x)
    strides: list[int] = []
    model.get_submodule("conv1").register_forward_hook(lambda module, inputs, output: strides.append(output.stride(1)))
    torch.testing.assert_close(Network([model]).forward(x)[0], expected)
    assert strides == [1]
