"""The end of training in a script: warnings, refusals, and a model that owns its parameters."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from methods import MethodError, SparseOptimizer
from tests.builders import mlp

X, Y = torch.randn(32, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 4


def trained(model: torch.nn.Module, optimizer: SparseOptimizer, steps: int) -> None:
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 0.05 * (1 - step / steps)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(X), Y).backward()
        optimizer.step()


def said_by_finish(form: str, steps: int, done: int, **value: Any) -> list[str]:
    model = mlp()
    optimizer = SparseOptimizer(model, form, steps=steps, lr=0.05, **value)
    trained(model, optimizer, done)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        optimizer.finish()
    assert {warning.filename for warning in caught} <= {__file__}  # the line of the script, not one of torch
    return [str(warning.message) for warning in caught]


def test_a_mask_method_that_prunes_all_at_once_says_so() -> None:
    (said,) = said_by_finish("gmp", 100, 10, density=0.25)
    assert said == "finish() came after 10 steps, but 100 were declared; gmp pruned 180 weights at once in finish()"
    (more,) = said_by_finish("dense", 10, 20)
    assert more == "finish() came after 20 steps, but 10 were declared"


@pytest.mark.parametrize("form", ["gmp", "magnitude", "random"])
def test_a_finished_plan_gives_no_warning(form: str) -> None:
    assert said_by_finish(form, 20, 20, density=0.25) == []
    rates = [0.05 * (1 - step / 20) for step in range(20)]
    assert said_by_finish("dwf[threshold=0.1]", 20, 20, strength=0.1, rates=rates) == []
    assert said_by_finish("dwf", 20, 20, strength=0, rates=rates) == []  # no penalty was asked for


@pytest.mark.parametrize(
    ("form", "knob", "value"), [("dwf", "strength", 0.1), ("prox-l1", "penalty", 1e-9), ("pwd", "penalty", 1e-6)]
)
def test_a_penalty_that_makes_almost_nothing_zero_says_so(form: str, knob: str, value: float) -> None:
    rates = [0.05 * (1 - step / 20) for step in range(20)]
    (said,) = said_by_finish(form, 20, 20, rates=rates, **{knob: value})
    assert said == f"240 of 240 weights are left; more steps or a larger {knob} may leave fewer"


def test_an_empty_layer_and_a_nearly_empty_network_give_warnings() -> None:
    said = said_by_finish(
        "dwf[threshold=1]", 20, 20, strength=0.1, rates=[0.05 * (1 - step / 20) for step in range(20)]
    )
    assert said == [
        "0 of 240 weights are left; a smaller strength, a larger learning rate or more steps leave more",
        "no weight is left in 1.weight, 3.weight",
    ]
    (one,) = said_by_finish("magnitude", 20, 20, density=1 / 240)  # as few weights as were asked for
    assert one in ("no weight is left in 1.weight", "no weight is left in 3.weight")


def test_a_penalty_inside_that_left_no_weight_is_what_has_to_be_smaller() -> None:
    said = said_by_finish("prune-after[mask=prox-l1,at=100]", 20, 20, density=0.5)
    assert said[0] == "0 of 240 weights are left; a smaller penalty leaves more"


def test_a_constant_network_gives_a_warning() -> None:
    model = mlp()
    optimizer = SparseOptimizer(model, "random", density=0.5, steps=2, lr=0.05)
    with torch.no_grad():
        model.get_parameter("1.bias").fill_(-100.0)  # no unit is ever active, though weights are left
    trained(model, optimizer, 2)
    with pytest.warns(UserWarning, match=r"the last loss did not depend on 1\.weight; is the network constant\?"):
        optimizer.finish()


def test_a_step_after_finish_is_refused_and_a_second_finish_changes_nothing() -> None:
    model = mlp()
    optimizer = SparseOptimizer(model, "dwf", strength=0.1, steps=1, lr=0.1)
    trained(model, optimizer, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optimizer.finish()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optimizer.finish()
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(X), Y).backward()
    with pytest.raises(RuntimeError, match="after finish"):
        optimizer.step()
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), before, strict=True))


def test_a_finished_model_saves_its_parts_alone(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(300, 300), torch.nn.ReLU(), torch.nn.Linear(300, 4))
    optimizer = SparseOptimizer(model, "random", density=0.5, steps=1, lr=0.1)
    optimizer.zero_grad()
    model(torch.ones(2, 300)).sum().backward()
    optimizer.step()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer.finish()
    file = io.BytesIO()
    torch.save(model[2].state_dict(), file)
    assert len(file.getvalue()) < 10_000
    safetensors.torch.save_model(model, str(tmp_path / "model.safetensors"))
    for saved in (model.state_dict(), safetensors.torch.load_file(tmp_path / "model.safetensors")):
        assert all(torch.equal(tensor, before[name]) for name, tensor in saved.items())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lr": 0.0}, "lr is a finite number > 0, not 0"),
        ({"lr": -0.1}, "lr is a finite number > 0, not -0.1"),
        ({"lr": float("nan")}, "lr is a finite number > 0"),
        ({"other_lr": -0.1}, "other_lr is a finite number >= 0"),
        ({"steps": 0}, "steps is a whole number >= 1, not 0"),
        ({"steps": 2.5}, "steps is a whole number >= 1, not 2.5"),
        ({"rates": [0.1]}, "rates has one learning rate for each of the 4 steps, not 1"),
    ],
)
def test_numbers_of_a_plan_that_cannot_be_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(MethodError, match=said):
        SparseOptimizer(mlp(), "dense", **({"steps": 4, "lr": 0.1} | options))


def test_a_further_parameter_group_is_refused() -> None:
    optimizer = SparseOptimizer(mlp(), "dense", steps=4, lr=0.1)
    with pytest.raises(MethodError, match="no further parameter groups"):
        optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(2))], "lr": 0.5})
    assert len(optimizer.param_groups) == 2
