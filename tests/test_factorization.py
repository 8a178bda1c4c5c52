"""Weight factorization: gradients, penalty, start, threshold."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats

from methods.base import Method
from methods.factorization import Factorization, truncated_factors
from methods.network import Network
from methods.registry import parse
from methods.rules import Sgd
from tests.conftest import FakeProbe, mlp

DOUBLE = torch.float64


def started(method: Method, values: list[float], rule: Sgd, rates: list[float]) -> Network:
    net = Network([mlp(0).to(DOUBLE) for _ in values])
    method.start(net, values, rule, 0.0, FakeProbe(net, rates))
    return net


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("rule", [Sgd(0.0), Sgd(0.9), Sgd(0.9, nesterov=True)], ids=["plain", "momentum", "nesterov"])
def test_updates_equal_autograd_through_the_product(depth: int, rule: Sgd) -> None:
    """Against torch.optim.SGD on the factors of L0(prod omega) + (lambda / D) sum ||omega||^2, two values at once."""
    rates = [0.3, 0.2, 0.1, 0.05]
    method = Factorization(depth=depth)
    values = [0.7, 2.0]
    net = started(method, values, rule, rates)
    factors = method.factors.clone().requires_grad_()
    penalty = torch.tensor(values, dtype=DOUBLE).unsqueeze(1) / (rule.gain * sum(rates))
    reference = torch.optim.SGD([factors], lr=1, momentum=rule.momentum, nesterov=rule.nesterov)
    target = torch.linspace(-1, 1, net.weights.numel(), dtype=DOUBLE).view_as(net.weights)
    for rate in rates:
        reference.param_groups[0]["lr"] = rate
        reference.zero_grad()
        product = factors[0]
        for factor in factors[1:]:
            product = product * factor
        loss = ((product - target) ** 2).sum() / 2 + (penalty / depth * (factors**2).sum(0)).sum()
        loss.backward()
        reference.step()
        net.grad.copy_(net.weights - target)
        method.update(rate)
    torch.testing.assert_close(method.factors, factors.detach(), rtol=0, atol=1e-12)
    torch.testing.assert_close(net.weights, factors.detach().prod(0), rtol=0, atol=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("rule", [Sgd(0.0), Sgd(0.9)], ids=["plain", "momentum"])
def test_an_unneeded_weight_shrinks_by_the_strength_alone(depth: int, rule: Sgd) -> None:
    """|w| falls by exp(-2 strength), whatever the depth: this is what makes strengths comparable."""
    rates = [0.05 * (1 + math.cos(math.pi * t / 4000)) / 2 for t in range(4000)]
    method = Factorization(depth=depth)
    net = started(method, [1.5], rule, rates)
    before = net.weights.clone()
    for rate in rates:
        net.grad.zero_()
        method.update(rate)
    torch.testing.assert_close(net.weights / before, torch.full_like(before, math.exp(-3)), rtol=0.03, atol=0)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 8])
def test_the_start_keeps_within_its_bounds_and_uses_both_signs(depth: int) -> None:
    """(epsilon s)^(1/D) < |omega| < min(1, 2 s)^(1/D), layer by layer."""
    net = Network([torch.nn.Sequential(torch.nn.Linear(200, 100), torch.nn.Linear(100, 50))])
    factors = truncated_factors(net, 0, depth, 0.25, torch.Generator().manual_seed(0)).double()
    for layer in net.layers:
        std = net.weights[0, layer.span].double().std().item()
        drawn = factors[:, layer.span]
        assert drawn.abs().min() > (0.25 * std) ** (1 / depth) * (1 - 1e-6)
        assert drawn.abs().max() < (2 * std) ** (1 / depth) * (1 + 1e-6)
        assert (drawn > 0).double().mean().item() == pytest.approx(0.5, abs=0.02)
        # by hand: accepted draws of a normal distribution, from notes in Kolb et al., algorithm 1
        low, high = 0.25 ** (1 / depth), 2 ** (1 / depth)
        expected = stats.truncnorm(low, high).std() ** 2 + stats.truncnorm(low, high).mean() ** 2
        second_moment = (drawn**2).mean().item() / std ** (2 / depth)
        assert second_moment == pytest.approx(expected, rel=0.03)


def test_same_seed_same_factors() -> None:
    method, again = Factorization(), Factorization()
    started(method, [1.0, 2.0], Sgd(), [0.1])
    started(again, [3.0], Sgd(), [0.1])
    assert torch.equal(method.factors[:, 0], method.factors[:, 1])  # members of a pack share their seed
    assert torch.equal(method.factors[:, :1], again.factors)


def test_what_is_below_the_threshold_ends_as_zero() -> None:
    method = parse("dwf[threshold=1e-4]")
    net = started(method, [1.0], Sgd(), [0.1])
    net.weights[0, :6] = torch.tensor([9e-5, -9e-5, 1.1e-4, -1.1e-4, 0.0, 1.0], dtype=DOUBLE)
    method.finish()
    expected = torch.tensor([0, 0, 1.1e-4, -1.1e-4, 0, 1], dtype=DOUBLE)
    assert torch.equal(net.weights[0, :6], expected)


def test_penalty_is_strength_over_the_schedules_sum() -> None:
    method = parse("dwf")
    started(method, [6.0, 12.0], Sgd(0.9), [0.5, 0.3, 0.2])
    assert method.penalty is not None
    assert method.penalty.flatten().tolist() == pytest.approx([0.6, 1.2])  # S = 10 * (0.5 + 0.3 + 0.2)
