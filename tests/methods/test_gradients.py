"""The gradients of a script are its own: they are read, and neither overwritten nor moved."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from methods import SparseOptimizer
from methods.core.optimizers import Adam
from tests.builders import mlp

X, Y = torch.randn(32, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 4


def built(model: torch.nn.Module, form: str = "dense", **options: Any) -> SparseOptimizer:
    return SparseOptimizer(model, form, steps=8, lr=0.05, **options)


def backward(model: torch.nn.Module, examples: slice = slice(None)) -> list[torch.Tensor]:
    """Add the gradient of some examples, and return the parameters' gradients themselves."""
    cross_entropy(model(X[examples]), Y[examples]).backward()
    return [parameter.grad for parameter in model.parameters() if parameter.grad is not None]


def test_gradients_that_a_script_keeps_stay_those_of_their_loss() -> None:
    """Methods for several tasks compare the gradients of losses, with `zero_grad` between them."""
    model = mlp()
    optimizer = built(model)
    first = backward(model, slice(16))
    before = [gradient.clone() for gradient in first]
    optimizer.zero_grad()
    second = backward(model, slice(16, 32))
    assert all(torch.equal(one, two) for one, two in zip(first, before, strict=True))
    assert not torch.equal(first[0], second[0])


@pytest.mark.parametrize(("form", "value"), [("dense", {}), ("dwf", {"strength": 1.0}), ("gmp", {"density": 0.5})])
def test_a_step_leaves_the_gradients_for_a_log(form: str, value: dict[str, float]) -> None:
    model = mlp()
    optimizer = built(model, form, optimizer=Adam(), **value)
    gradients = backward(model)
    before = [gradient.clone() for gradient in gradients]
    optimizer.step()
    assert all(torch.equal(one, two) for one, two in zip(gradients, before, strict=True))


@pytest.mark.parametrize("zeroed", ["never", "in place", "to None"])
def test_gradients_add_up_as_under_torchs_optimizer(zeroed: str) -> None:
    ours, theirs = mlp(), mlp()
    pair = built(ours), torch.optim.SGD(theirs.parameters(), lr=0.05, momentum=0.9)
    for model, optimizer in zip((ours, theirs), pair, strict=True):
        for _ in range(3):
            if zeroed != "never":
                optimizer.zero_grad(set_to_none=zeroed == "to None")
            backward(model)
            optimizer.step()
    for one, two in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, two)


def test_the_old_way_to_zero_gradients_works() -> None:
    model = mlp()
    optimizer = built(model)
    for gradient in backward(model):
        gradient.detach_()
        gradient.zero_()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optimizer.step()
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), before, strict=True))


def test_gradients_from_before_the_optimizer_stay() -> None:
    model = mlp()
    gradient = backward(model)[0]
    built(model)
    assert next(model.parameters()).grad is gradient and gradient.any()
