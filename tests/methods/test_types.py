"""Parameters of low precision are trained as float32 copies, and a model may mix types."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from methods import METHODS, MethodError, SparseOptimizer, parse
from methods.core.network import Network
from tests.builders import mlp

VALUE = {"density": {"density": 0.25}, "strength": {"strength": 1.0}, "penalty": {"penalty": 1e-3}, "none": {}}
X, Y = torch.randn(32, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 4
STEPS = 6


class Mixed(nn.Module):
    """A body of one type with a norm and a head of others; the types are those of mixed-precision fine-tuning."""

    def __init__(self, body: torch.dtype = torch.bfloat16, head: torch.dtype = torch.float32, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.body, self.norm, self.head = nn.Linear(16, 12).to(body), nn.BatchNorm1d(12), nn.Linear(12, 4).to(head)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.norm(self.body(x.flatten(1).to(self.body.weight.dtype)).float()).relu()
        logits: torch.Tensor = self.head(features.to(self.head.weight.dtype))
        return logits.float()


def built(model: nn.Module, form: str) -> SparseOptimizer:
    value = VALUE[parse(form).knob]
    rates = [0.05] * STEPS
    return SparseOptimizer(
        model, form, steps=STEPS, lr=0.05, rates=rates, probe=lambda: cross_entropy(model(X), Y), **value
    )


def trained(model: nn.Module, optimizer: SparseOptimizer, steps: int) -> None:
    for step in range(steps):
        (model if step % 2 else optimizer).zero_grad()
        cross_entropy(model(X), Y).backward()
        optimizer.step()


def types(model: nn.Module) -> dict[str, torch.dtype]:
    return {name: tensor.dtype for name, tensor in model.state_dict().items()}


TYPES = {
    "bfloat16": (torch.bfloat16, torch.float32),
    "half": (torch.float16, torch.float16),
    "a layer in float64": (torch.float32, torch.float64),
}


@pytest.mark.filterwarnings("ignore:.*left:UserWarning", "ignore:.*constant:UserWarning")
@pytest.mark.parametrize("mixture", TYPES.values(), ids=TYPES)
@pytest.mark.parametrize("form", sorted(METHODS))
def test_a_model_of_other_types_trains_almost_as_in_float32(
    form: str, mixture: tuple[torch.dtype, torch.dtype]
) -> None:
    model, plain = Mixed(*mixture), Mixed(torch.float32)
    before, start = types(model), plain.body.weight.detach().clone()
    for each in (model, plain):
        optimizer = built(each, form)
        trained(each, optimizer, STEPS)
        optimizer.finish()
        if form in ("snip", "random", "magnitude", "set"):
            assert sum(int(layer.weight.count_nonzero()) for layer in (each.body, each.head)) == 60
    assert types(model) == before
    moved = (model.body.weight.float() - plain.body.weight).norm() / (plain.body.weight - start).norm()
    assert moved < (2 if form in ("grasp", "synflow") else 0.3)  # masks of sensitive scores differ in a few weights


def test_factors_reach_zero_in_float32_although_the_model_is_bfloat16() -> None:
    counts = []
    for dtype in (torch.float32, torch.bfloat16):
        model = Mixed(dtype)
        optimizer = SparseOptimizer(model, "dwf", penalty=0.5, steps=60, lr=0.1)
        trained(model, optimizer, 60)
        assert optimizer.method.factors.dtype == torch.float32
        with pytest.warns(UserWarning):
            optimizer.finish()
        counts.append(int(model.body.weight.count_nonzero()))
    assert counts[0] < 180 and abs(counts[0] - counts[1]) < 5


def test_a_small_step_is_not_lost_in_rounding() -> None:
    model = Mixed()
    optimizer = SparseOptimizer(model, "dense", steps=400, lr=1e-5)
    before = model.body.weight.detach().clone()
    for _ in range(400):
        optimizer.zero_grad()
        model.body.weight.sum().backward()
        optimizer.step()
    moved = (before - model.body.weight).float().mean()
    assert moved.item() == pytest.approx(4e-5 * 1000 * 0.99, rel=0.05)  # 400 steps of 1e-5, times ten by momentum


def opened(saved: bytes) -> dict[str, dict[str, torch.Tensor]]:
    state: dict[str, dict[str, torch.Tensor]] = torch.load(io.BytesIO(saved), weights_only=True)
    return state


@pytest.mark.parametrize("order", ["model first", "optimizer first", "built later"])
@pytest.mark.parametrize("form", ["dense", "dwf", "snip", "powerprop", "str"])
def test_a_model_in_bfloat16_resumes_bit_for_bit(form: str, order: str) -> None:
    model = Mixed()
    optimizer = built(model, form)
    trained(model, optimizer, 3)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file := io.BytesIO())
    saved, other = opened(file.getvalue()), Mixed(seed=1)
    if order == "built later":
        other.load_state_dict(saved["model"])
    resumed = built(other, form)
    if order == "model first":
        other.load_state_dict(saved["model"])
    resumed.load_state_dict(saved["optimizer"])
    if order == "optimizer first":
        other.load_state_dict(saved["model"])
    for one, its in ((model, optimizer), (other, resumed)):
        trained(one, its, 3)
    assert torch.equal(resumed.net.weights, optimizer.net.weights)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_training_goes_on_from_what_is_written_to_a_copy() -> None:
    model = Mixed()
    optimizer = built(model, "dwf")
    trained(model, optimizer, 2)
    exact = optimizer.net.weights.clone()
    with torch.no_grad():
        model.body.weight[0, 0] = 0.5
    assert optimizer.net.take_in() == {"body.weight"}
    assert optimizer.net.weights[0, 0] == 0.5 and torch.equal(optimizer.net.weights[:, 1:], exact[:, 1:])


def complex_weight() -> nn.Module:
    model = mlp()
    model.add_module("phase", nn.Linear(4, 4, dtype=torch.complex64))
    return model


def lazy_head() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 4), nn.LazyLinear(4))


def no_values() -> nn.Module:
    with torch.device("meta"):
        return nn.Linear(3, 3)


def divided() -> nn.Module:
    model = mlp()
    setattr(model.get_parameter("3.weight"), "device_mesh", "two processes")  # noqa: B010 - as a DTensor has
    return model


def scripted() -> nn.Module:
    return torch.jit.script(mlp())


def for_inference() -> nn.Module:
    with torch.inference_mode():
        return mlp()


@pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning", "ignore:.torch.jit.script:FutureWarning")
@pytest.mark.parametrize(
    ("build", "said"),
    [
        (complex_weight, "phase.weight is torch.complex64; trained parameters are of type float16, bfloat16, float32"),
        (lazy_head, "2.weight has no values yet; run a batch through the model before you build the optimizer"),
        (no_values, "weight has no values yet"),
        (divided, "3.weight is divided among processes"),
        (scripted, "is a TorchScript module; build the optimizer on the module that it was made of"),
        (for_inference, "1.weight cannot be trained: make the model and the optimizer outside of inference_mode"),
    ],
)
def test_a_parameter_that_cannot_be_trained_is_named(build: Callable[[], nn.Module], said: str) -> None:
    with pytest.raises(MethodError, match=said):
        SparseOptimizer(build(), "dense", steps=1, lr=0.1)


def test_an_optimizer_is_not_built_in_inference_mode() -> None:
    model = mlp()
    with torch.inference_mode(), pytest.raises(MethodError, match="outside of inference_mode"):
        SparseOptimizer(model, "dense", steps=1, lr=0.1)


def test_integer_parameters_stay_as_they_are() -> None:
    model = mlp()
    model.register_parameter("codes", nn.Parameter(torch.arange(4), requires_grad=False))
    optimizer = built(model, "dwf")
    trained(model, optimizer, 2)
    assert model.get_parameter("codes").tolist() == [0, 1, 2, 3]


def test_a_task_has_networks_of_one_type() -> None:
    for model in (Mixed(), mlp().half()):
        with pytest.raises(MethodError, match="a network of a task has parameters of one type, float32, not torch"):
            Network([model])
    assert Network([mlp().double()]).weights.dtype == torch.float64
