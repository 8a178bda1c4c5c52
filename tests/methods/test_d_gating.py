"""D-Gating: its gradients, its penalty on groups, and the smaller networks that it leaves."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from benchmark.contract.stage import mlp, toy_data
from benchmark.deployment.compact import compact
from benchmark.training.flops import count
from methods import SparseOptimizer
from methods.core.network import Network
from methods.core.optimizers import Sgd
from methods.d_gating import DGating
from tests.builders import FakeProbe, parsed


def two_rows(depth: int, strength: float, steps: int = 1) -> tuple[Network, DGating]:
    net, method = Network([nn.Linear(2, 2, bias=False)]), parsed(f"d-gating[depth={depth}]", DGating)
    net.weights[0] = torch.tensor([3.0, 4, 1, 2])
    method.bind(net, [strength], Sgd(0.0), 1.0, FakeProbe(net, [0.1] * steps))
    return net, method


def test_a_step_follows_the_chain_rule_of_vectors_and_gates() -> None:
    net, method = two_rows(depth=2, strength=0.1)  # lambda is 0.1 / 0.1 = 1, and the slope 2 / 2
    assert net.weights[0].tolist() == [3, 4, 1, 2]
    net.grad[0] = torch.tensor([1.0, -1, 0, 0])
    method.update(torch.tensor(0.1))
    # v - 0.1 (g + v) and gate - 0.1 (g . v + gate), where g . v = 3 - 4; the second row has no gradient
    assert method.vectors[0].tolist() == pytest.approx([2.6, 3.7, 0.9, 1.8])
    assert method.gates[0, 0].tolist() == pytest.approx([1 - 0.1 * (-1 + 1), 0.9])
    assert net.weights[0].tolist() == pytest.approx([2.6, 3.7, 0.81, 1.62])


def test_the_gradient_is_that_of_the_product() -> None:
    net, method = two_rows(depth=4, strength=0.0)
    method.gates.copy_(torch.rand(3, 1, 2, generator=torch.Generator().manual_seed(0)) + 0.5)
    vectors, gates = method.vectors.clone().requires_grad_(), method.gates.clone().requires_grad_()
    weights = (vectors.view(2, 2) * gates.prod(0).view(2, 1)).flatten()
    given = torch.tensor([0.3, -0.2, 0.5, 0.1])
    (weights @ given).backward()
    net.grad[0] = given
    method.update(torch.tensor(1.0))
    assert vectors.grad is not None and gates.grad is not None
    torch.testing.assert_close(method.vectors, vectors.detach() - vectors.grad)
    torch.testing.assert_close(method.gates, gates.detach() - gates.grad)


@pytest.mark.parametrize("depth", [2, 3])
def test_a_group_without_a_gradient_shrinks_as_its_strength_says(depth: int) -> None:
    net, method = two_rows(depth, strength=3.0, steps=1000)
    for _ in range(1000):
        net.grad.zero_()
        method.update(torch.tensor(0.1))
    torch.testing.assert_close(
        net.weights[0], torch.tensor([3.0, 4, 1, 2]) * torch.tensor(-6.0).exp(), rtol=0.02, atol=0
    )


def test_its_fixed_point_is_that_of_the_group_lasso() -> None:
    # min |w - a|^2 / 2 + lambda |w| is a (1 - lambda / |a|): at |a| = 5 and lambda 1 it is 0.8 a, and 0 for |a| < 1
    target = torch.tensor([3.0, 4, 0.3, 0.4])
    net, method = two_rows(depth=2, strength=100.0, steps=1000)  # lambda 1
    for _ in range(1000):
        net.grad[0] = net.weights[0] - target
        method.update(torch.tensor(0.1))
    torch.testing.assert_close(net.weights[0], torch.tensor([2.4, 3.2, 0, 0]), rtol=1e-4, atol=1e-4)
    method.finish()
    assert net.weights[0].count_nonzero() == 2


def test_a_group_that_is_small_in_the_root_mean_square_ends_as_a_whole() -> None:
    net, method = two_rows(depth=3, strength=1.0)
    net.weights[0] = torch.tensor([1.5e-7, 1e-8, 2e-7, 5e-8])  # root mean squares of 1.06e-7 and 1.46e-7
    method.finish()
    assert net.weights[0].tolist() == [0, 0, pytest.approx(2e-7, rel=1e-6), 0]


def test_filters_and_units_of_transposed_weights_are_groups() -> None:
    net = Network([nn.Sequential(nn.Conv2d(2, 3, 2, bias=False), nn.ConvTranspose2d(3, 2, 1, bias=False))])
    method = parsed("d-gating", DGating)
    method.bind(net, [1.0], Sgd(), 0.0, FakeProbe(net, [0.1]))
    assert method.group.tolist() == [0] * 8 + [1] * 8 + [2] * 8 + [3, 4] * 3
    assert method.sizes.tolist() == [8, 8, 8, 3, 3]
    values = torch.arange(30.0).unsqueeze(0)
    expected = [values[0, method.group == group].sum().item() for group in range(5)]
    assert method.sums(values)[0].tolist() == expected


def test_the_network_loses_whole_units_and_compaction_makes_it_smaller() -> None:
    model, steps, data = mlp(), 300, toy_data().train
    optimizer = SparseOptimizer(model, "d-gating", strength=8.0, steps=steps, lr=0.1, rates=[0.1] * steps)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(data[0][:200]), data[1][:200]).backward()
        optimizer.step()
    optimizer.finish()
    left = int(model.get_parameter("1.weight").any(1).sum())
    assert 0 < left < 12
    small = compact(model, torch.zeros(1, 1, 4, 4))
    assert len(small.get_parameter("1.weight")) <= left
    example = torch.zeros(1, 1, 4, 4)
    assert count(small, example)[0] < count(model, example)[0] == 2 * (16 * 12 + 12 * 4)


def test_what_a_script_writes_opens_the_gates_of_its_group_alone() -> None:
    model = mlp()
    optimizer = SparseOptimizer(model, "d-gating", strength=1.0, steps=4, lr=0.1)
    for step in range(3):
        if step == 2:
            with torch.no_grad():
                model.get_parameter("1.weight")[0, 0] = 3.0
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(torch.zeros(4, 1, 4, 4)), torch.arange(4)).backward()
        optimizer.step()  # the inputs are zero, so the first layer has no gradient
    assert isinstance(optimizer.method, DGating)
    assert optimizer.method.gates[0, 0, 0] > optimizer.method.gates[0, 0, 1]
    assert 2.5 < model.get_parameter("1.weight")[0, 0].item() < 3.0
