"""A SparseOptimizer has what schedulers and users expect of torch's optimizers."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils import prune
from torch.optim.lr_scheduler import CyclicLR, OneCycleLR

from methods import METHODS, MethodError, SparseOptimizer, parse
from methods.core.optimizers import Adam, Sgd
from tests.builders import mlp

VALUE = {"density": {"density": 0.25}, "strength": {"strength": 0.1}, "penalty": {"penalty": 1e-3}, "none": {}}
X, Y = torch.randn(32, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 4


def built(model: torch.nn.Module, form: str = "dense", **options: Any) -> SparseOptimizer:
    value = VALUE[parse(form).knob]
    return SparseOptimizer(
        model, form, steps=12, lr=0.05, probe=lambda: cross_entropy(model(X), Y), **(value | options)
    )


def trained(model: torch.nn.Module, optimizer: torch.optim.Optimizer, steps: int, scheduler: Any = None) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        cross_entropy(model(X), Y).backward()
        optimizer.step()
        if scheduler:
            scheduler.step()


def same(one: torch.nn.Module, two: torch.nn.Module) -> None:
    for ours, theirs in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


SCHEDULES = {
    "one-cycle": lambda optimizer: OneCycleLR(optimizer, max_lr=0.1, total_steps=13),
    "cyclic": lambda optimizer: CyclicLR(optimizer, 0.01, 0.1, step_size_up=4),
}
BASES = {
    "momentum": (Sgd(0.9), torch.optim.SGD, {"momentum": 0.9}),
    "nesterov": (Sgd(0.9, nesterov=True), torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "no momentum": (Sgd(0.0), torch.optim.SGD, {"momentum": 0.0}),
    "adam": (Adam(), torch.optim.Adam, {}),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("base", BASES)
def test_a_scheduled_momentum_acts_as_on_torchs_optimizers(base: str, schedule: str) -> None:
    """Both schedulers cycle the momentum by default, from 0.95 or 0.9 down and up again."""
    ours, theirs = mlp(), mlp()
    own, kind, options = BASES[base]
    pair = built(ours, optimizer=own), kind(theirs.parameters(), lr=0.05, **options)
    for model, optimizer in zip((ours, theirs), pair, strict=True):
        trained(model, optimizer, 12, SCHEDULES[schedule](optimizer))
    same(ours, theirs)
    assert pair[0].param_groups[0]["lr"] == pytest.approx(pair[1].param_groups[0]["lr"])


@pytest.mark.parametrize("form", sorted(METHODS))
def test_every_method_takes_a_momentum_that_changes(form: str) -> None:
    one, two = mlp(), mlp()
    # Rewinding and rewiring at almost every step leave no time in which the momentum acts.
    form = {"imp": "imp[rounds=1]", "rigl": "rigl[update_end=0]", "set": "set[update_end=0]"}.get(form, form)
    optimizers = built(one, form), built(two, form)
    for group in optimizers[1].param_groups:
        group["momentum"] = 0.0
    trained(one, optimizers[0], 5)
    trained(two, optimizers[1], 5)
    assert not torch.equal(optimizers[0].net.weights, optimizers[1].net.weights)


@pytest.mark.filterwarnings("ignore:.*weights are left")
def test_the_strength_counts_the_momentum_of_each_step() -> None:
    model = mlp()
    optimizer = built(model, "dwf", strength=1.0, rates=[0.05] * 12)
    for group in optimizer.param_groups:
        group["momentum"] = 0.8  # half the distance of 0.9
    trained(model, optimizer, 12)
    with pytest.warns(UserWarning, match=r"a strength of 0\.5, but 1 was planned"):
        optimizer.finish()


def test_weight_decay_is_read_from_the_groups() -> None:
    ours, theirs = mlp(), mlp()
    pair = built(ours, weight_decay=0.1), torch.optim.SGD(theirs.parameters(), lr=0.05, momentum=0.9)
    assert [group["weight_decay"] for group in pair[0].param_groups] == [0.1, 0.0]
    for optimizer in pair:
        for group in optimizer.param_groups:
            group["weight_decay"] = 0.3
    for model, optimizer in zip((ours, theirs), pair, strict=True):
        trained(model, optimizer, 4)
    same(ours, theirs)


def test_defaults_and_groups_have_the_keys_of_torchs_optimizers() -> None:
    optimizer = built(mlp(), optimizer=Sgd(0.8))
    assert {name: optimizer.defaults[name] for name in ("lr", "momentum", "nesterov", "weight_decay")} == {
        "lr": 0.05, "momentum": 0.8, "nesterov": False, "weight_decay": 0.0,
    }  # fmt: skip
    assert all(optimizer.defaults.keys() <= group.keys() for group in optimizer.param_groups)
    adam = built(mlp(), optimizer=Adam())
    assert adam.defaults["betas"] == (0.9, 0.999) and adam.defaults["eps"] == 1e-8


@pytest.mark.parametrize("name", ["maximize", "differentiable", "capturable"])
def test_an_option_that_no_method_has_is_refused(name: str) -> None:
    model = mlp()
    optimizer = built(model)
    optimizer.param_groups[0][name] = True
    with pytest.raises(MethodError, match=f"SparseOptimizer has no {name}; leave it at False"):
        trained(model, optimizer, 1)


def test_hooks_before_and_after_a_step_are_called() -> None:
    model, calls = mlp(), []
    optimizer = built(model)
    optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
    optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    trained(model, optimizer, 2)
    assert calls == ["before", "after"] * 2


def test_a_gradient_scaler_skips_a_step_that_is_not_finite() -> None:
    model = mlp()
    optimizer = built(model)
    scaler = torch.amp.GradScaler("cpu", init_scale=256.0)
    before = copy.deepcopy(model.state_dict())
    scaler.scale(cross_entropy(model(X), Y)).backward()
    next(iter(optimizer.param_groups[0]["params"])).grad[0, 0] = torch.inf
    scaler.step(optimizer)
    scaler.update()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert scaler.get_scale() == 128.0


def test_the_old_name_of_a_learning_rate_is_read() -> None:
    optimizer = built(mlp(), rest_lr=0.01)
    assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.01]


def added_head(model: torch.nn.Module) -> str:
    model.add_module("head", torch.nn.Linear(4, 4))
    return "head.bias requires a gradient now"


def unfrozen(model: torch.nn.Module) -> str:
    model.get_parameter("3.bias").requires_grad_(True)
    return "3.bias requires a gradient now"


def frozen(model: torch.nn.Module) -> str:
    model.get_parameter("1.weight").requires_grad_(False)
    return "1.weight requires no gradient now"


@pytest.mark.parametrize("change", [added_head, unfrozen, frozen])
def test_other_trained_parameters_than_at_the_start_are_refused(change: Any) -> None:
    model = mlp()
    model.get_parameter("3.bias").requires_grad_(False)
    optimizer = built(model)
    trained(model, optimizer, 1)
    said = change(model)
    with pytest.raises(RuntimeError, match=said):
        trained(model, optimizer, 1)


def pruned_by_torch(model: torch.nn.Module) -> None:
    prune.random_unstructured(model.get_submodule("1"), "weight", 0.5)


def tied(model: torch.nn.Module) -> None:
    model.get_submodule("5").weight = model.get_submodule("3").weight


@pytest.mark.parametrize("change", [pruned_by_torch, tied, lambda model: model.half()])
def test_a_change_between_the_last_step_and_finish_is_refused(change: Any) -> None:
    model = torch.nn.Sequential(*mlp()[:3], torch.nn.Linear(12, 12), torch.nn.ReLU(), torch.nn.Linear(12, 12))
    optimizer = built(model)
    trained(model, optimizer, 2)
    change(model)
    with pytest.raises(RuntimeError, match="is no longer the parameter that the optimizer was built on"):
        optimizer.finish()


@pytest.mark.parametrize("form", ["dense", "dwf", "snip"])
def test_a_model_that_is_compiled_or_wrapped_later_trains_alike(form: str) -> None:
    plain, later = mlp(), mlp()
    optimizers = built(plain, form), built(later, form)
    trained(plain, optimizers[0], 4)
    trained(later, optimizers[1], 1)
    compiled: Any = torch.compile(torch.nn.DataParallel(later), backend="eager")
    trained(compiled, optimizers[1], 3)
    same(plain, later)


@pytest.mark.filterwarnings("ignore:finish:UserWarning")
def test_a_mask_holds_on_weights_that_were_written_without_a_trace() -> None:
    model = mlp()
    optimizer = built(model, "random")
    trained(model, optimizer, 2)
    model.get_parameter("1.weight").data.fill_(1.0)
    optimizer.finish()
    assert int(optimizer.net.weights.count_nonzero()) == 60
