"""Weight factorization: its gradients, penalty, initial factors and threshold."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import pytest
import torch

from methods.core.base import Method
from methods.core.network import Network
from methods.core.optimizers import Adam, Optimizer, Sgd
from methods.core.registry import parse
from methods.dwf import Factorization
from tests.builders import FakeProbe, mlp

DOUBLE = torch.float64


def started(method: Method, values: list[float], optimizer: Optimizer, rates: list[float]) -> Network:
    net = Network([mlp(0).to(DOUBLE) for _ in values])
    method.bind(net, values, optimizer, 0.0, FakeProbe(net, rates))
    return net


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 8])
@pytest.mark.parametrize(
    ("optimizer", "reference"),
    [
        (Sgd(0.0), partial(torch.optim.SGD, lr=1)),
        (Sgd(0.9), partial(torch.optim.SGD, lr=1, momentum=0.9)),
        (Sgd(0.9, nesterov=True), partial(torch.optim.SGD, lr=1, momentum=0.9, nesterov=True)),
        (Adam(), torch.optim.Adam),
    ],
    ids=["sgd", "momentum", "nesterov", "adam"],
)
def test_updates_equal_autograd_through_the_product(depth: int, optimizer: Optimizer, reference: Any) -> None:
    """Torch's optimizers on L0(prod omega) + (lambda / D) sum ||omega||^2 take the same steps for two values."""
    rates = [0.03, 0.02, 0.01, 0.005]
    method = Factorization(depth=depth, init="truncated", rates="equal")
    values = [0.7, 2.0]
    net = started(method, values, optimizer, rates)
    factors = method.factors.clone().requires_grad_()
    penalty = torch.tensor(values, dtype=DOUBLE).unsqueeze(1) / (optimizer.lr_gain * sum(rates))
    reference = reference([factors])
    target = torch.linspace(-1, 1, net.weights.numel(), dtype=DOUBLE).view_as(net.weights)
    for rate in rates:
        reference.param_groups[0]["lr"] = rate
        reference.zero_grad()
        through = factors[0]
        for factor in factors[1:]:
            through = through * factor
        loss = ((through - target) ** 2).sum() / 2 + (penalty / depth * (factors**2).sum(0)).sum()
        loss.backward()
        reference.step()
        net.grad.copy_(net.weights - target)
        method.update(torch.tensor(rate, dtype=DOUBLE))
    torch.testing.assert_close(method.factors, factors.detach(), rtol=0, atol=1e-12)
    torch.testing.assert_close(net.weights, factors.detach().prod(0), rtol=0, atol=1e-12)


def test_decoupled_decay_equals_adamw_on_the_factors() -> None:
    """The reference is torch.optim.AdamW on the factors, with weight_decay = 2 lambda / D."""
    rates = [0.03, 0.02, 0.01]
    method = Factorization(depth=3, decay="decoupled")
    net = started(method, [0.006], Adam(), rates)
    factors = method.factors.clone().requires_grad_()
    reference = torch.optim.AdamW([factors], weight_decay=2 * 0.1 / 3)  # lambda = strength / sum of rates
    for rate in rates:
        reference.param_groups[0]["lr"] = rate
        reference.zero_grad()
        ((factors[0] * factors[1] * factors[2] - 1) ** 2).sum().backward()
        reference.step()
        net.grad.copy_(2 * (net.weights - 1))
        method.update(torch.tensor(rate, dtype=DOUBLE))
    torch.testing.assert_close(method.factors, factors.detach(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("by", ["strength", "penalty"])
def test_a_matched_rate_is_that_of_the_weight_itself_over_its_speed(
    depth: int, by: Literal["strength", "penalty"]
) -> None:
    """By hand, for plain SGD: omega <- omega - lr / max(r, r0) (g w / omega + 2 lambda / D omega)."""
    method = Factorization(depth=depth, by=by)
    net = started(method, [0.5], Sgd(0.0), [0.2, 0.2])
    factors = method.factors[:, 0].clone()
    speeds = torch.stack([w.square() for w in (factors.prod(0) / factors)]).sum(0)
    first = torch.empty_like(speeds)
    for layer in net.layers:
        first[layer.span] = speeds[layer.span].mean()
    penalty = 0.5 / 0.4 * first if by == "strength" else 0.5
    factors[0, 5] *= 100  # a weight that moves faster than its layer did at the start
    method.factors[:, 0] = factors
    fast = (factors.prod(0) / factors).square().sum(0)
    assert depth == 1 or ((fast > first).any() and (fast < first).any())
    net.grad[0] = torch.sin(torch.arange(net.grad.shape[1], dtype=DOUBLE))
    pull = net.grad[0] * factors.prod(0) / factors + 2 * penalty / depth * factors
    expected = factors - 0.2 / torch.maximum(fast, first) * pull
    method.update(torch.tensor(0.2, dtype=DOUBLE))
    torch.testing.assert_close(method.factors[:, 0], expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(net.weights[0], expected.prod(0), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("depth", [2, 3, 6])
def test_at_the_start_weights_move_as_under_plain_sgd(depth: int) -> None:
    """No weight moves faster than SGD on w would move it, and the mean weight half as fast at least."""
    method = Factorization(depth=depth)
    net = started(method, [0.0], Sgd(0.0), [1e-6])
    before = net.weights.clone()
    net.grad.fill_(1.0)
    method.update(torch.tensor(1e-6, dtype=DOUBLE))
    moved = (before - net.weights)[0] / 1e-6
    assert moved.max() <= 1 + 1e-4
    for layer in net.layers:
        assert 0.5 < moved[layer.span].mean() < 1


def test_adam_has_equal_rates() -> None:
    one, two = Factorization(), Factorization(rates="equal")
    for method in (one, two):
        net = started(method, [0.5], Adam(), [0.1])
        net.grad.fill_(0.3)
        method.update(torch.tensor(0.1, dtype=DOUBLE))
    assert torch.equal(one.factors, two.factors)


def test_the_same_seed_gives_the_same_factors() -> None:
    method, again = Factorization(init="truncated"), Factorization(init="truncated")
    started(method, [1.0, 2.0], Sgd(), [0.1])
    started(again, [3.0], Sgd(), [0.1])
    assert torch.equal(method.factors[:, 0], method.factors[:, 1])  # members of a pack share their seed
    assert torch.equal(method.factors[:, :1], again.factors)


def test_weights_below_the_threshold_end_as_zero() -> None:
    method = parse("dwf[threshold=1e-4]")
    net = started(method, [1.0], Sgd(), [0.1])
    net.weights[0, :6] = torch.tensor([9e-5, -9e-5, 1.1e-4, -1.1e-4, 0.0, 1.0], dtype=DOUBLE)
    method.finish()
    expected = torch.tensor([0, 0, 1.1e-4, -1.1e-4, 0, 1], dtype=DOUBLE)
    assert torch.equal(net.weights[0, :6], expected)


def test_the_knob_may_be_the_penalty() -> None:
    method = parse("dwf[by=penalty]")
    assert (method.knob, str(method), parse("dwf").knob) == ("penalty", "dwf[depth=3,by=penalty]", "strength")
    started(method, [0.25, 0.5], Sgd(0.9), [0.5, 0.3])
    assert method.penalty is not None and method.penalty.flatten().tolist() == [0.25, 0.5]


def test_the_penalty_is_strength_over_the_sum_of_the_schedule() -> None:
    method = parse("dwf[rates=equal]")
    started(method, [6.0, 12.0], Sgd(0.9), [0.5, 0.3, 0.2])
    assert method.penalty is not None
    assert method.penalty.flatten().tolist() == pytest.approx([0.6, 1.2])  # S = 10 * (0.5 + 0.3 + 0.2)


def test_the_final_threshold_does_not_count_as_misalignment(net: Network) -> None:
    method = parse("dwf[depth=3,init=root,threshold=0.1]")
    method.bind(net, [1.0], Sgd(), 0.0, FakeProbe(net, [0.1]))
    before = method.diagnose()
    assert before["relative_misalignment"].item() == pytest.approx(0, abs=1e-5)  # balanced
    method.finish()
    assert 0 < net.weights.count_nonzero() < net.weights.numel()
    after = method.diagnose()
    assert all(torch.equal(after[name], before[name]) for name in before)
