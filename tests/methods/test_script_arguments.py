"""Wrong arguments of SparseOptimizer, and a second optimizer on one model."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import safetensors.torch
import torch

from methods import MethodError, SparseOptimizer
from tests.builders import mlp


def build(model: torch.nn.Module, **options: Any) -> SparseOptimizer:
    return SparseOptimizer(model, **{"method": "gmp", "density": 0.1, "steps": 10, "lr": 0.1} | options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": torch.optim.SGD}, "a method is a written form"),
        ({"method": None}, "a method is a written form"),
        ({"density": "0.1"}, "density is a finite number, not '0.1'"),
        ({"density": [0.1]}, "density is a finite number"),
        ({"lr": "0.1"}, "lr is a finite number > 0, not '0.1'"),
        ({"other_lr": "0.1"}, "other_lr is a finite number"),
        ({"weight_decay": "1e-4"}, "weight_decay is a finite number"),
        ({"weight_decay": -1.0}, "weight_decay is a finite number >= 0"),
        ({"steps": "10"}, "steps is a whole number >= 1, not '10'"),
        ({"seed": "a"}, "seed is a whole number"),
        ({"seed": 0.5}, "seed is a whole number"),
        ({"rates": 0.1}, "rates has one learning rate for each of the 10 steps, not 0.1"),
        ({"rates": []}, "rates has one learning rate for each of the 10 steps, not 0"),
        ({"rates": ["0.1"] * 10}, "a learning rate in rates is a finite number >= 0, not '0.1'"),
        ({"rates": [-0.1] * 10}, "a learning rate in rates is a finite number >= 0"),
        ({"rates": [0.0] * 10}, "rates has a learning rate > 0 for one step or more"),
        ({"probe": torch.tensor(1.0)}, "probe is a function .*, not Tensor"),
        ({"groups": [{"params": "2", "lr": "0.1"}]}, "lr of a group is a finite number >= 0"),
    ],
)
def test_an_argument_of_a_wrong_type_or_range_is_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(MethodError, match=said):
        build(mlp(), **options)


def test_numbers_of_numpy_are_numbers() -> None:
    optimizer = build(
        mlp(), method="dwf", density=None, strength=np.float64(3), steps=np.int64(10), rates=np.full(10, 0.1)
    )
    assert float(optimizer.method.value) == 3


def test_a_second_optimizer_waits_for_the_end_of_the_first() -> None:
    model = mlp()
    first = build(model)
    torch.optim.lr_scheduler.CosineAnnealingLR(first, 10)
    for again in (model, torch.nn.Sequential(model), next(iter(model.children())), torch.nn.Sequential(*model)):
        if any(True for _ in again.parameters()):
            with pytest.raises(MethodError, match="is trained by another SparseOptimizer, which is not finished"):
                build(again)
    with pytest.warns(UserWarning, match="after 0 steps"):
        first.finish()
    second = build(model)
    del second
    build(model)


def test_an_optimizer_that_was_refused_or_deleted_leaves_the_model_free() -> None:
    model = mlp()
    with pytest.raises(MethodError, match="probe"):
        build(model, method="snip")
    first = build(model)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(first, 10)
    del first, scheduler
    build(model)


def test_two_optimizers_train_different_parts_of_one_model() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    parts = [build(part) for part in (model[0], model[2])]
    model(torch.randn(5, 4)).square().sum().backward()
    for optimizer in parts:
        optimizer.step()


def test_a_model_that_is_still_trained_is_written_by_safetensors(tmp_path: Path) -> None:
    model = mlp()
    optimizer = build(model)  # its tensors hold the parameters
    whole = {name: value.clone() for name, value in model.state_dict().items()}  # as docs/scripts.md says
    safetensors.torch.save_file(whole, tmp_path / "model.safetensors")
    read = safetensors.torch.load_file(tmp_path / "model.safetensors")
    assert all(torch.equal(read[name], value) for name, value in model.state_dict().items())
    with pytest.warns(UserWarning, match="after 0 steps"):
        optimizer.finish()


def test_a_refused_optimizer_leaves_the_weights() -> None:
    """SNIP prunes in steps, and the probe ends after the first."""
    model = mlp()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    losses = iter([model(torch.ones(2, 1, 4, 4)).square().mean()])
    with pytest.raises(MethodError, match="ran out of batches"):
        build(model, method="snip[iterations=3]", density=0.1, probe=lambda: next(losses))
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), before, strict=True))
    build(model)  # no other optimizer trains it


@pytest.mark.parametrize("form", ["wanda", "obs", "obs[finetune=0.5]"])
def test_methods_that_score_data_after_training_ask_for_the_probe_at_once(form: str) -> None:
    with pytest.raises(MethodError, match="this method scores data: give `probe`"):
        build(mlp(), method=form)


def test_parameters_in_one_piece_of_memory_are_refused() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 3))
    model.get_parameter("1.weight").data = model.get_parameter("0.weight").data.t()
    with pytest.raises(MethodError, match=r"0\.weight and 1\.weight are two parameters in one piece of memory"):
        build(model)


def test_a_weight_decay_that_a_penalty_ignores_is_said() -> None:
    with pytest.warns(UserWarning, match="weight_decay is for methods without a penalty; .* ignores it"):
        build(mlp(), method="dwf", density=None, strength=1.0, weight_decay=1e-4)


def test_the_model_inside_a_compiled_wrapper_is_trained() -> None:
    model = mlp()
    wrapped = cast(torch.nn.Module, torch.compile(torch.nn.DataParallel(model)))
    optimizer = build(wrapped, exclude="1")
    assert str(optimizer.coverage) == str(build(mlp(), exclude="1").coverage)
    assert optimizer.net.model is model


def test_the_end_is_refused_where_weights_would_be_frozen() -> None:
    model = mlp()
    optimizer = build(model)
    with torch.inference_mode(), pytest.raises(MethodError, match=r"finish\(\) came in torch\.inference_mode"):
        optimizer.finish()
    with pytest.warns(UserWarning, match="finish"):
        optimizer.finish()
