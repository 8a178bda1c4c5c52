"""Factors start from the weights that a script gives, and weights of zero learn."""

from __future__ import annotations

import copy
from typing import get_args

import pytest
import torch

from methods import SparseOptimizer, parse
from methods.core.optimizers import Sgd
from methods.dwf_factors import Initialization
from tests.builders import batch_norm_cnn, mlp

STARTS = [start for start in get_args(Initialization) if start != "standard"]  # its products are close to zero
X, Y = torch.randn(32, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 4


def loss_of(model: torch.nn.Module) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(model(X), Y)


@pytest.mark.parametrize(
    "form", ["dwf[depth=1]", "dwf[depth=2]", "dwf", "dwf[depth=5]", "shallow", "powerprop", "dense"]
)
def test_building_keeps_the_weights_of_the_model(form: str) -> None:
    model = batch_norm_cnn()
    before = copy.deepcopy(model.state_dict())
    value = {"density": 0.5} if parse(form).knob == "density" else {"strength": 2.0}
    SparseOptimizer(model, form, steps=3, lr=0.1, **({} if form == "dense" else value))
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, before[name], rtol=1e-5, atol=1e-7)


def test_a_start_that_is_named_is_drawn() -> None:
    model = mlp()
    before = model.get_parameter("1.weight").detach().clone()
    optimizer = SparseOptimizer(model, "dwf[init=truncated]", strength=2.0, steps=3, lr=0.1)
    assert (model.get_parameter("1.weight") - before).abs().max() > 0.1
    assert str(optimizer.method) == "dwf[depth=3,init=truncated]"
    assert str(SparseOptimizer(mlp(), "shallow", strength=2.0, steps=3, lr=0.1).method) == "dwf[depth=2]"


def test_a_method_inside_another_starts_from_the_given_weights() -> None:
    model = mlp()
    before = model.get_parameter("1.weight").detach().clone()
    SparseOptimizer(model, "control[mask=dwf]", strength=2.0, steps=3, lr=0.1)
    torch.testing.assert_close(model.get_parameter("1.weight"), before, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("form", ["rewa", "powerprop", "str", "pwd", "control[mask=powerprop]", "rewa[m=0]"])
def test_a_layer_of_zeros_that_cannot_learn_is_named_before_training(form: str) -> None:
    model = mlp()
    torch.nn.init.zeros_(list(model.parameters())[-2])
    value = {"strength": 1.0} if form == "str" else {"density": 0.5} if "powerprop" in form else {"penalty": 1e-4}
    if form == "rewa[m=0]":
        SparseOptimizer(model, form, steps=3, lr=0.1, **value)  # a warning would be an error
        return
    with pytest.warns(UserWarning, match=r"3\.weight cannot learn.*zeros stay zero"):
        SparseOptimizer(model, form, steps=3, lr=0.1, **value)


@pytest.mark.parametrize("form", ["magnitude-init", "sign-in[mask=magnitude-init]"])
def test_a_layer_that_is_pruned_entirely_is_named_before_training(form: str) -> None:
    model = mlp()
    torch.nn.init.zeros_(list(model.parameters())[-2])
    with pytest.warns(UserWarning, match=r"prunes all weights of 3\.weight; a larger density or exclude= leaves some"):
        SparseOptimizer(model, form, density=0.5, steps=3, lr=0.1)


@pytest.mark.parametrize("form", ["dwf[depth=2]", "dwf[depth=6]", *(f"dwf[init={init}]" for init in STARTS)])
def test_a_layer_of_zeros_learns(form: str) -> None:
    model = mlp()
    head = list(model.parameters())[-2]
    torch.nn.init.zeros_(head)
    before = loss_of(model).item()
    optimizer = SparseOptimizer(model, form, strength=0.1, steps=60, lr=0.2, optimizer=Sgd(0.9))
    for step in range(60):
        for group in optimizer.param_groups:
            group["lr"] = 0.2 * (1 - step / 60)
        optimizer.zero_grad()
        loss_of(model).backward()
        optimizer.step()
    assert head.abs().max() > 0.1
    assert loss_of(model).item() < 0.5 * before
