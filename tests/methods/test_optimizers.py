"""The optimizers take the same steps as those of torch."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from methods.core.optimizers import Adam, Sgd


@given(
    momentum=st.sampled_from([0.0, 0.5, 0.9]),
    nesterov=st.booleans(),
    decay=st.sampled_from([0.0, 0.01]),
    rates=st.lists(st.floats(1e-3, 1), min_size=1, max_size=6),
)
def test_sgd_steps_as_torch_does(momentum: float, nesterov: bool, decay: float, rates: list[float]) -> None:
    nesterov = nesterov and momentum > 0
    start = torch.linspace(-1, 1, 6, dtype=torch.float64)
    parameter = start.clone().requires_grad_()
    reference = torch.optim.SGD([parameter], lr=1, momentum=momentum, nesterov=nesterov, weight_decay=decay)
    ours, optimizer = start.clone(), Sgd(momentum, nesterov)
    state = optimizer.state(ours)
    for step, rate in enumerate(rates):
        gradient = torch.sin(start * (step + 1))
        parameter.grad = gradient.clone()
        reference.param_groups[0]["lr"] = rate
        reference.step()
        optimizer.step(ours, gradient + decay * ours, state, torch.tensor(rate, dtype=torch.float64))
    # torch's momentum holds gradients, ours does too: a changing rate acts alike.
    torch.testing.assert_close(ours, parameter.detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_learning_rate_gain_is_the_total_step_of_one_gradient(momentum: float) -> None:
    optimizer, tensor = Sgd(momentum), torch.zeros(1, dtype=torch.float64)
    state = optimizer.state(tensor)
    optimizer.step(tensor, torch.ones(1, dtype=torch.float64), state, torch.tensor(0.1, dtype=torch.float64))
    for _ in range(1000):
        optimizer.step(tensor, torch.zeros(1, dtype=torch.float64), state, torch.tensor(0.1, dtype=torch.float64))
    assert -tensor.item() == pytest.approx(0.1 * optimizer.lr_gain)


@given(rates=st.lists(st.floats(1e-4, 0.1), min_size=1, max_size=8), decay=st.sampled_from([0.0, 0.1]))
def test_adam_steps_as_torch_does(rates: list[float], decay: float) -> None:
    start = torch.linspace(-1, 1, 6, dtype=torch.float64)
    parameter = start.clone().requires_grad_()
    reference = torch.optim.Adam([parameter], weight_decay=decay)
    ours, optimizer = start.clone(), Adam()
    state = optimizer.state(ours)
    for step, rate in enumerate(rates):
        gradient = torch.sin(start * (step + 1))
        parameter.grad = gradient.clone()
        reference.param_groups[0]["lr"] = rate
        reference.step()
        optimizer.step(ours, gradient + decay * ours, state, torch.tensor(rate, dtype=torch.float64))
    torch.testing.assert_close(ours, parameter.detach(), rtol=1e-12, atol=1e-12)
