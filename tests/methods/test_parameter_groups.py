"""Learning rates of parts of a model, in a script's parameter groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from methods import METHODS, MethodError, SparseOptimizer, parse
from methods.core.optimizers import Adam, Optimizer, Sgd

VALUE = {"density": {"density": 0.3}, "strength": {"strength": 1.0}, "penalty": {"penalty": 0.001}, "none": {}}
X, Y = torch.randn(16, 5, generator=torch.Generator().manual_seed(0)), torch.arange(16) % 3


class Perceptron(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.middle, self.head = nn.Linear(5, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.head(self.middle(self.body(x).relu()).relu())
        return y


def model() -> Perceptron:
    torch.manual_seed(0)
    return Perceptron()


def loss_of(net: Perceptron) -> torch.Tensor:
    return nn.functional.cross_entropy(net(X), Y)


def train(net: Perceptron, optimizer: torch.optim.Optimizer, steps: int = 5) -> None:
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(net).backward()
        optimizer.step()
        scheduler.step()


def parts(net: Perceptron) -> list[dict[str, Any]]:
    return [{"params": net.head.parameters(), "lr": 0.02, "other_lr": 0.005}, {"params": "middle", "lr": 0.05}]


@pytest.mark.parametrize(
    ("optimizer", "reference"),
    [(Sgd(0.9), lambda groups: torch.optim.SGD(groups, momentum=0.9)), (Adam(), torch.optim.Adam)],
)
def test_parts_train_as_parameter_groups_of_torch_do(
    optimizer: Optimizer, reference: Callable[[list[dict[str, Any]]], torch.optim.Optimizer]
) -> None:
    ours, theirs = model(), model()
    sparse = SparseOptimizer(ours, "dense", steps=5, lr=0.1, other_lr=0.02, optimizer=optimizer, groups=parts(ours))
    assert [group["lr"] for group in sparse.param_groups] == pytest.approx([0.1, 0.02, 0.02, 0.005, 0.05, 0.01])
    rates = {"body": (0.1, 0.02), "head": (0.02, 0.005), "middle": (0.05, 0.01)}
    groups = [
        {"params": [theirs.get_parameter(f"{name}.{kind}")], "lr": rate}
        for name, pair in rates.items()
        for kind, rate in zip(("weight", "bias"), pair, strict=True)
    ]
    train(ours, sparse)
    train(theirs, reference(groups))
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter, theirs.get_parameter(name), msg=name)


@pytest.mark.filterwarnings("ignore:.*left:UserWarning", "ignore:.*constant:UserWarning")
@pytest.mark.parametrize("form", METHODS)
def test_parts_at_one_learning_rate_train_as_the_whole_under_every_method(form: str) -> None:
    trained = []
    for split in (False, True):
        net = model()
        groups = [{"params": net.head, "lr": 0.1}] if split else []
        value = VALUE[parse(form).knob]
        rates = [0.1] * 5
        optimizer = SparseOptimizer(
            net, form, steps=5, lr=0.1, rates=rates, groups=groups, probe=lambda net=net: loss_of(net), **value
        )
        for _ in range(5):
            optimizer.zero_grad()
            loss_of(net).backward()
            optimizer.step()
        optimizer.finish()
        trained.append(torch.cat([parameter.flatten() for parameter in net.parameters()]))
    torch.testing.assert_close(trained[1], trained[0])


@pytest.mark.filterwarnings("ignore:.*left:UserWarning", "ignore:.*constant:UserWarning")
@pytest.mark.parametrize(
    "form", ["dwf[depth=2]", "dwf[depth=3,decay=decoupled]", "str", "prox-l1", "powerprop", "rigl"]
)
def test_a_part_without_a_learning_rate_stays(form: str) -> None:
    net = model()
    value = VALUE[parse(form).knob] | ({"density": 1.0} if parse(form).knob == "density" else {})
    optimizer = SparseOptimizer(
        net, form, steps=5, lr=0.1, rates=[0.1] * 5, groups=[{"params": net.head, "lr": 0.0}], **value
    )
    before = {name: parameter.detach().clone() for name, parameter in net.named_parameters()}
    for _ in range(5):
        optimizer.zero_grad()
        loss_of(net).backward()
        optimizer.step()
    for name, parameter in net.named_parameters():
        assert torch.allclose(parameter, before[name]) == name.startswith("head"), name


def test_each_learning_rate_follows_its_own_schedule_and_is_restored() -> None:
    net = model()
    optimizer = SparseOptimizer(net, "dwf", strength=1.0, steps=4, lr=0.1, groups=[{"params": net.head, "lr": 0.01}])
    rates = [group["lr"] for group in optimizer.param_groups]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01])
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, [lambda t: 1.0] * 2 + [lambda t: 0.5**t] * 2)
    optimizer.zero_grad()
    loss_of(net).backward()
    optimizer.step()
    scheduler.step()
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.1, 0.1, 0.005, 0.005])
    other = model()
    again = SparseOptimizer(other, "dwf", strength=1.0, steps=4, lr=0.1, groups=[{"params": other.head, "lr": 0.01}])
    other.load_state_dict(net.state_dict())
    again.load_state_dict(optimizer.state_dict())
    assert [group["lr"] for group in again.param_groups] == pytest.approx([0.1, 0.1, 0.005, 0.005])
    for one, optim in ((net, optimizer), (other, again)):
        optim.zero_grad()
        loss_of(one).backward()
        optim.step()
    assert all(torch.equal(other.get_parameter(name), parameter) for name, parameter in net.named_parameters())


def test_parameters_that_are_assigned_stay_in_their_groups() -> None:
    net = model()
    optimizer = SparseOptimizer(net, "dense", steps=4, lr=0.1, groups=parts(net))
    state = {name: torch.nn.Parameter(value.clone()) for name, value in net.state_dict().items()}
    net.load_state_dict(state, assign=True)
    optimizer.zero_grad()
    loss_of(net).backward()
    optimizer.step()
    held = [[id(parameter) for parameter in group["params"]] for group in optimizer.param_groups]
    assert held == [
        [id(net.get_parameter(f"{part}.{kind}"))] for part in ("body", "head", "middle") for kind in ("weight", "bias")
    ]


def test_a_group_for_every_pruned_weight_leaves_the_first_group_empty() -> None:
    net = model()
    optimizer = SparseOptimizer(net, "dense", steps=2, lr=0.1, groups=[{"params": "*", "lr": 0.02}])
    assert [len(group["params"]) for group in optimizer.param_groups] == [0, 3, 3]
    train(net, optimizer, 2)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([{"params": "haed", "lr": 0.1}], "groups='haed' chooses no parameter of the model; near it are head"),
        ([{"params": "head"}], "a group is a dictionary with params, lr and perhaps other_lr, not params"),
        ([{"params": "head", "lr": 0.1, "momentum": 0.5}], "not params, lr, momentum"),
        ([{"params": "head", "weight_decay": 0.0}], "weight_decay; weight decay acts on pruned weights alone"),
        (["head"], "a group is a dictionary .*, not str"),
        ([{"params": "head", "lr": -0.1}], "a finite number >= 0, not -0.1"),
        ([{"params": "head", "lr": 0.1}, {"params": "head.weight", "lr": 0.2}], r"head\.weight is in groups 1 and 2"),
        ([{"params": "middle", "lr": 0.1}], "group 1 of `groups` holds no trained parameter"),
    ],
)
def test_groups_that_say_nothing_are_refused(groups: Any, said: str) -> None:
    net = model()
    net.middle.requires_grad_(False)
    with pytest.raises(MethodError, match=said):
        SparseOptimizer(net, "dense", steps=1, lr=0.1, groups=groups)
