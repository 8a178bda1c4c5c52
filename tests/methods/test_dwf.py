"""Weight factorization: its gradients, penalty, initial factors and threshold."""

from __future__ import annotations

from functools import partial
from typing import Any

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
    method = Factorization(depth=depth)
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


def test_the_same_seed_gives_the_same_factors() -> None:
    method, again = Factorization(), Factorization()
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
    method = parse("dwf")
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
