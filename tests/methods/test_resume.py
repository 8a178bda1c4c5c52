"""Training that was saved goes on bit for bit, whatever is loaded first and whenever the optimizer is built."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from methods import SparseOptimizer, parse
from methods.core.registry import MethodError
from tests.builders import QUICK_FORMS, batch_norm_cnn, mlp

VALUE = {"density": {"density": 0.25}, "strength": {"strength": 0.1}, "penalty": {"penalty": 1e-3}, "none": {}}
FORMS = [*QUICK_FORMS, "dwf[init=truncated]"]
STEPS = 8


def built(model: torch.nn.Module, form: str) -> SparseOptimizer:
    x, y = batch(7)
    return SparseOptimizer(
        model, form, steps=STEPS, lr=0.1, probe=lambda: cross_entropy(model(x), y), **VALUE[parse(form).knob]
    )


def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(8, 1, 4, 4, generator=torch.Generator().manual_seed(step)), torch.arange(8) % 4


def trained(model: torch.nn.Module, optimizer: SparseOptimizer, steps: range) -> None:
    for step in steps:
        x, y = batch(step)
        optimizer.zero_grad()
        cross_entropy(model(x), y).backward()
        optimizer.step()


def model_first(form: str, saved: Any) -> tuple[torch.nn.Module, SparseOptimizer]:
    model = batch_norm_cnn(1)
    optimizer = built(model, form)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    return model, optimizer


def optimizer_first(form: str, saved: Any) -> tuple[torch.nn.Module, SparseOptimizer]:
    model = batch_norm_cnn(1)
    optimizer = built(model, form)
    optimizer.load_state_dict(saved["optimizer"])
    model.load_state_dict(saved["model"])
    return model, optimizer


def built_on_the_loaded_model(form: str, saved: Any) -> tuple[torch.nn.Module, SparseOptimizer]:
    model = batch_norm_cnn(1)
    model.load_state_dict(saved["model"])
    optimizer = built(model, form)
    optimizer.load_state_dict(saved["optimizer"])
    return model, optimizer


@pytest.mark.filterwarnings("ignore:.*(left|constant):UserWarning", "ignore:the learning rates:UserWarning")
@pytest.mark.parametrize("form", sorted(FORMS))
def test_training_resumes_bit_for_bit_in_every_order(form: str) -> None:
    for cut in (1, 5):
        model = batch_norm_cnn()
        optimizer = built(model, form)
        trained(model, optimizer, range(cut))
        file = io.BytesIO()
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file)
        trained(model, optimizer, range(cut, STEPS))
        optimizer.finish()
        for resume in (model_first, optimizer_first, built_on_the_loaded_model):
            file.seek(0)
            other, resumed = resume(form, torch.load(file, weights_only=True))
            trained(other, resumed, range(cut, STEPS))
            resumed.finish()
            for name, tensor in model.state_dict().items():
                assert torch.equal(tensor, other.state_dict()[name]), (resume.__name__, cut, name)


RESUME = """
import sys, torch
from tests.methods.test_resume import STEPS, built_on_the_loaded_model, trained
torch.set_num_threads(1)
for form, saved in torch.load(sys.argv[1], weights_only=True).items():
    model, optimizer = built_on_the_loaded_model(form, saved)
    trained(model, optimizer, range(5, STEPS))
    torch.save(model.state_dict(), f"{sys.argv[1]}.{form}")
"""


def test_a_new_process_goes_on_bit_for_bit(tmp_path: Path) -> None:
    saved, expected = {}, {}
    for form in ("snip", "dwf", "set", "control[mask=random]"):
        model = batch_norm_cnn()
        optimizer = built(model, form)
        trained(model, optimizer, range(5))
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(state, file := io.BytesIO())
        file.seek(0)
        saved[form] = torch.load(file, weights_only=True)
        trained(model, optimizer, range(5, STEPS))
        expected[form] = model.state_dict()
    torch.save(saved, tmp_path / "saved")
    subprocess.run([sys.executable, "-c", RESUME, str(tmp_path / "saved")], check=True)
    for form, state in expected.items():
        resumed = torch.load(f"{tmp_path}/saved.{form}", weights_only=True)
        assert all(torch.equal(tensor, resumed[name]) for name, tensor in state.items()), form


@pytest.mark.parametrize(
    ("form", "arguments", "message"),
    [
        ("gmp", {"density": 0.5}, "the state is of method dwf.*, and this optimizer has gmp"),
        ("dwf", {"strength": 5.0}, r"the state is of value 0\.1, and this optimizer has 5\.0"),
        ("dwf", {"strength": 0.1, "steps": 7}, "the state is of steps 10, and this optimizer has 7"),
    ],
)
def test_a_state_of_another_plan_is_refused(form: str, arguments: dict[str, Any], message: str) -> None:
    state = SparseOptimizer(mlp(), "dwf", steps=10, lr=0.05, strength=0.1).state_dict()
    other = SparseOptimizer(mlp(), form, **({"steps": 10, "lr": 0.05} | arguments))
    before = other.net.weights.clone()
    with pytest.raises(MethodError, match=message):
        other.load_state_dict(state)
    with pytest.raises(MethodError, match="no state of a SparseOptimizer"):
        other.load_state_dict({})
    assert torch.equal(other.net.weights, before)


@pytest.mark.parametrize("kind", [torch.compile, torch.nn.DataParallel])
@pytest.mark.parametrize("first", [False, True])
def test_a_wrapped_model_and_a_plain_one_resume_each_other(kind: Callable[[Any], Any], first: bool) -> None:
    plain, other = mlp().bfloat16(), mlp().bfloat16()
    saved, resumed = (SparseOptimizer(kind(m) if w else m, "gmp", density=0.5, steps=10, lr=0.05)
                      for m, w in ((plain, first), (other, not first)))  # fmt: skip
    saved.net.weights += 1e-5  # digits that bfloat16 does not hold
    other.load_state_dict(plain.state_dict())
    resumed.load_state_dict(saved.state_dict())
    assert torch.equal(resumed.net.weights, saved.net.weights)


def test_a_state_of_another_network_names_the_first_weight_that_differs() -> None:
    layers = [torch.nn.Linear(4, 4) for _ in range(5)]
    state = SparseOptimizer(torch.nn.Sequential(*layers), "dense", steps=1, lr=0.1).state_dict()
    for width, said in (
        (3, r"3\.weight \[4, 4\], and this optimizer has 3\.weight \[3, 4\]$"),
        (0, "has no further one$"),
    ):
        model = torch.nn.Sequential(*(torch.nn.Linear(4, n) for n in (4, 4, 4, width) if n))
        with pytest.raises(MethodError, match=f"the state is of pruned weights {said}" if width else said):
            SparseOptimizer(model, "dense", steps=1, lr=0.1).load_state_dict(state)


@pytest.mark.parametrize("optimizer", ["adam", torch.optim.SGD])
def test_an_optimizer_of_torch_is_refused(optimizer: Any) -> None:
    with pytest.raises(MethodError, match=r"optimizer is Sgd\(\.\.\.\) or Adam"):
        SparseOptimizer(mlp(), "dwf", steps=10, lr=0.05, strength=0.1, optimizer=optimizer)
