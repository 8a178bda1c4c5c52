"""Any method in a user's own training script."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import timm
import torch
import torchvision

from benchmark.data.synthetic import synthetic_data
from benchmark.training.evaluation import layer_nonzeros
from methods import MethodError, SparseOptimizer, dwf, parse
from methods.core.optimizers import Adam, Sgd
from tests.builders import QUICK_FORMS, batch_norm_cnn, mlp

INPUTS, LABELS = (part[:] for part in synthetic_data((1, 4, 4), 4).train)
VALUE: dict[str, dict[str, float]] = {
    "density": {"density": 0.1}, "strength": {"strength": 3.0}, "penalty": {"penalty": 0.01}, "none": {},
}  # fmt: skip
FORMS = [*QUICK_FORMS, "dwf[depth=2,threshold=0.01]"]


def loss_on(model: torch.nn.Module, step: int) -> torch.Tensor:
    batch = slice(100 * (step % 20), 100 * (step % 20) + 100)
    return torch.nn.functional.cross_entropy(model(INPUTS[batch]), LABELS[batch])


def optimizer_for(model: torch.nn.Module, form: str, steps: int = 30, **options: Any) -> SparseOptimizer:
    calls = iter(range(1000))
    value = {} if {"penalty", "strength", "density"} & set(options) else VALUE[parse(form).knob]
    return SparseOptimizer(
        model, form, steps=steps, lr=0.1, probe=lambda: loss_on(model, next(calls)), **value, **options
    )


def train(model: torch.nn.Module, optimizer: SparseOptimizer, steps: range, total: int = 30) -> None:
    for step in steps:
        for group in optimizer.param_groups:
            group["lr"] = 0.1 * (1 - step / total)
        optimizer.zero_grad()
        loss_on(model, step).backward()
        optimizer.step()


def kept(model: torch.nn.Module) -> tuple[int, int]:
    counts = layer_nonzeros(model).values()
    return sum(nonzero for nonzero, _ in counts), sum(total for _, total in counts)


@pytest.mark.filterwarnings("ignore:.*left:UserWarning", "ignore:.*constant:UserWarning")  # large values, few steps
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("build", [mlp, batch_norm_cnn])
def test_a_plain_script_trains_a_plain_model_to_its_zeros(form: str, build: Callable[[], torch.nn.Module]) -> None:
    model = build()
    kinds = [type(module) for module in model.modules()]
    before = loss_on(model, 0).item()
    optimizer = optimizer_for(model, form)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 30)
    for step in range(30):
        optimizer.zero_grad()
        loss_on(model, step).backward()
        optimizer.step()
        scheduler.step()
    optimizer.finish()
    assert loss_on(model, 0).item() < before
    assert [type(module) for module in model.modules()] == kinds
    nonzeros, total = kept(model)
    if "density" in VALUE[parse(form).knob]:
        assert nonzeros == round(0.1 * total)
    assert nonzeros < total or parse(form).knob == "none" or parse(form).threshold < 1e-6


@pytest.mark.filterwarnings("ignore:.*left:UserWarning", "ignore:.*constant:UserWarning")  # large values, few steps
@pytest.mark.parametrize("form", FORMS)
def test_a_restored_optimizer_resumes_bit_for_bit(form: str) -> None:
    """The state is saved before and after a phase begins, and the file holds no code."""
    model, saved, done = batch_norm_cnn(), {}, 0
    optimizer = optimizer_for(model, form)
    for cut in (7, 15, 22):
        train(model, optimizer, range(done, cut))
        saved[cut] = copy.deepcopy({"model": model.state_dict(), "optimizer": optimizer.state_dict()})
        done = cut
    train(model, optimizer, range(done, 30))
    optimizer.finish()
    for cut, state in saved.items():
        other = batch_norm_cnn(1)
        resumed = optimizer_for(other, form, seed=5)
        other.load_state_dict(state["model"])
        resumed.load_state_dict(state["optimizer"])
        train(other, resumed, range(cut, 30))
        resumed.finish()
        for name, value in model.state_dict().items():
            assert torch.equal(value, other.state_dict()[name]), name


def test_a_state_holds_only_tensors_numbers_and_strings(tmp_path: Any) -> None:
    for form in FORMS:
        model = mlp()
        optimizer = optimizer_for(model, form)
        train(model, optimizer, range(3))
        torch.save(optimizer.state_dict(), tmp_path / "state.pt")
        torch.load(tmp_path / "state.pt", weights_only=True)


@pytest.mark.parametrize("base", [Sgd(0.9), Sgd(0.0), Adam()], ids=["momentum", "sgd", "adam"])
def test_dense_equals_the_optimizer_of_torch(base: Any) -> None:
    ours, theirs = mlp(), mlp()
    optimizer = optimizer_for(ours, "dense", optimizer=base)
    kind = torch.optim.Adam if isinstance(base, Adam) else torch.optim.SGD
    extra = {} if isinstance(base, Adam) else {"momentum": base.momentum}
    reference = kind(theirs.parameters(), lr=0.1, **extra)
    for step in range(10):
        for model, each in ((ours, optimizer), (theirs, reference)):
            each.zero_grad()
            loss_on(model, step).backward()
            each.step()
    for one, two in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-6)


def test_gradients_may_be_clipped_scaled_or_set_to_none() -> None:
    clipped, plain = mlp(), mlp()
    one, two = optimizer_for(clipped, "dwf"), optimizer_for(plain, "dwf")
    scaler = torch.amp.GradScaler("cpu", init_scale=256.0)
    for step in range(5):
        clipped.zero_grad(set_to_none=True)  # the model's own way, which puts gradients aside
        scaler.scale(loss_on(clipped, step)).backward()
        scaler.unscale_(one)
        torch.nn.utils.clip_grad_norm_(clipped.parameters(), 0.5)
        scaler.step(one)
        scaler.update()
        two.zero_grad()
        loss_on(plain, step).backward()
        norm = torch.cat([p.grad.flatten() for p in plain.parameters() if p.grad is not None]).norm()
        for parameter in plain.parameters():
            assert parameter.grad is not None
            parameter.grad.mul_((0.5 / (norm + 1e-6)).clamp(max=1))
        two.step()
    for ours, theirs in zip(clipped.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_factors_are_accessible() -> None:
    model = mlp()
    optimizer = optimizer_for(model, "dwf[depth=4]")
    train(model, optimizer, range(2))
    factors = optimizer.method.factors
    assert factors.shape == (4, 1, kept(model)[1])
    torch.testing.assert_close(factors.prod(0), optimizer.net.weights)


def test_a_strength_is_converted_to_a_penalty_and_a_penalty_is_not() -> None:
    # With matched rates a strength gives each layer a penalty of its own.
    by_penalty = optimizer_for(mlp(), "dwf", penalty=0.01)
    by_strength = optimizer_for(mlp(), "dwf[rates=equal]", strength=0.01 * 10 * 0.1 * 30 * 0.5)
    given = optimizer_for(mlp(), "dwf[rates=equal]", strength=0.01 * 10 * 6.0, rates=[0.2] * 30)
    expected = torch.tensor([[0.01]])
    for optimizer, tolerance in ((by_penalty, 1e-6), (by_strength, 0.05), (given, 1e-6)):
        torch.testing.assert_close(optimizer.method.penalty, expected, rtol=tolerance, atol=0)


@pytest.mark.filterwarnings("ignore:.*weights are left")
def test_finish_warns_if_the_learning_rates_differed_from_the_plan() -> None:
    model = mlp()
    optimizer = optimizer_for(model, "dwf", steps=10)
    for step in range(10):  # at a constant rate, where a cosine was planned
        optimizer.zero_grad()
        loss_on(model, step).backward()
        optimizer.step()
    with pytest.warns(UserWarning, match=r"strength of 5\.\d+, but 3 was planned"):
        optimizer.finish()


@pytest.mark.parametrize(
    ("form", "options", "said"),
    [
        ("dwf", {"density": 0.1}, "takes strength or penalty, not density"),
        ("dwf", {"strength": 1.0, "penalty": 1.0}, "not strength and penalty"),
        ("snip", {"strength": 1.0}, "takes density"),
        ("snip", {"density": 2.0}, r"\(0, 1\]"),
        ("dense", {"density": 0.5}, "takes no value"),
        ("dwf", {"strength": -1.0}, ">= 0"),
        ("dfw", {"strength": 1.0}, "no method"),
    ],
)
def test_values_that_do_not_fit_the_method_are_rejected(form: str, options: dict[str, float], said: str) -> None:
    with pytest.raises(MethodError, match=said):
        SparseOptimizer(mlp(), form, steps=10, lr=0.1, **options)
    with pytest.raises(MethodError, match="probe"):
        SparseOptimizer(mlp(), "snip", steps=10, lr=0.1, density=0.1)


@pytest.mark.parametrize(
    "build",
    [
        lambda: torchvision.models.mobilenet_v3_small(num_classes=4),
        lambda: timm.create_model("test_resnet", num_classes=4),
    ],
    ids=["torchvision", "timm"],
)
def test_models_of_torchvision_and_timm_train_unmodified(
    build: Callable[[], torch.nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dwf, "COMPILE_FROM", 10**9)  # compiling takes many seconds and has tests of its own
    torch.manual_seed(0)
    model = build()
    x, y = torch.randn(8, 3, 32, 32), torch.arange(8) % 4
    optimizer = SparseOptimizer(model, "dwf[depth=3,threshold=0.01]", strength=2.0, steps=4, lr=0.05)
    losses = []
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 4)
    for _ in range(4):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    optimizer.finish()
    assert all(loss == loss for loss in losses)
    nonzeros, total = kept(model)
    assert 0 < nonzeros < total
    model.eval()
    assert model(x).isfinite().all()


def test_other_parameters_have_their_own_learning_rate() -> None:
    model = mlp()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizer = SparseOptimizer(model, "dwf[depth=3]", strength=1, steps=4, lr=0.1, other_lr=0.0)
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.0]
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5**step)
    for step in range(4):
        optimizer.zero_grad()
        loss_on(model, step).backward()
        optimizer.step()
        scheduler.step()
    assert [group["lr"] for group in optimizer.param_groups] == [0.1 * 0.5**4, 0.0]
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name]) == name.endswith("bias")


@pytest.mark.parametrize("form", ["snip", "synflow[iterations=3]", "grasp"])
def test_scoring_does_not_change_running_statistics(form: str) -> None:
    model = batch_norm_cnn()
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    optimizer = optimizer_for(model, form)
    assert all(torch.equal(buffer, before[name]) for name, buffer in model.named_buffers())
    assert not optimizer.net.grad.any()


def test_loading_an_early_state_removes_the_mask() -> None:
    model = mlp()
    optimizer = optimizer_for(model, "magnitude")
    early = copy.deepcopy(optimizer.state_dict())
    weights = copy.deepcopy(model.state_dict())
    train(model, optimizer, range(30))
    assert optimizer.method.mask is not None
    model.load_state_dict(weights)
    optimizer.load_state_dict(early)
    assert optimizer.method.mask is None


def test_grasp_scores_a_transformer() -> None:
    model = timm.create_model("vit_tiny_patch16_224", img_size=32, num_classes=4, depth=1)
    images = torch.randn(4, 3, 32, 32)
    probe = lambda: torch.nn.functional.cross_entropy(model(images), torch.arange(4))  # noqa: E731
    SparseOptimizer(model, "grasp", density=0.5, steps=2, lr=0.1, probe=probe)
    nonzero, total = kept(model)
    assert nonzero == round(0.5 * total)
