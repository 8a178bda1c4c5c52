"""The state that a method declares, which checkpoints hold."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy
import pytest
import torch

from methods.core.base import Method
from methods.core.masked import Masked
from methods.core.network import Network
from methods.core.optimizers import Sgd
from methods.core.registry import METHODS, MethodError, parse
from tests.builders import FakeProbe, mlp

VALUES = {"density": 0.5, "strength": 2.0, "penalty": 1e-3, "none": 1.0}


def bound(method: Method) -> Method:
    net = Network([mlp()])
    method.bind(net, [VALUES[method.knob]], Sgd(), 1e-3, FakeProbe(net, [0.1] * 8))
    return method


class Counting(Masked):
    """A method that counts its steps."""

    state_names: ClassVar[tuple[str, ...]] = ("steps",)
    derived_names: ClassVar[tuple[str, ...]] = ("buffer",)
    name = "counting"

    def setup(self, net: Network, probe: Any) -> None:
        super().setup(net, probe)
        self.steps: Any = 0
        self.buffer = torch.zeros(3)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_attribute_of_a_method_is_declared_at_every_step(name: str) -> None:
    method = bound(parse(name))
    method.state_dict()
    for phase in range(len(method.phases)):
        method.on_phase_start(phase)
        for _ in range(4):
            method.net.grad.fill_(0.1)
            method.update(torch.tensor(0.1))
            method.state_dict()
    method.finish()
    method.state_dict()


def test_names_of_a_class_are_added_to_those_of_its_bases() -> None:
    assert set(bound(Counting()).state_dict()) == {"state", "mask", "steps"}


def test_options_and_work_buffers_are_not_saved() -> None:
    assert set(bound(parse("dwf")).state_dict()) == {"factors", "states", "slope", "pace"}
    assert set(bound(parse("ham")).state_dict()) == {"inner"}


def test_an_attribute_that_is_not_declared_is_named() -> None:
    method = bound(Counting())
    method.momentum = torch.zeros(3)  # type: ignore[attr-defined]
    with pytest.raises(MethodError, match="method counting sets momentum, which it must list in state_names"):
        method.state_dict()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (torch.Generator(), "Generator"),
        ({1, 2}, "set"),
        (numpy.zeros(2), "ndarray"),
        (numpy.float64(1), "float64"),
        ([1, {"deep": object()}], "object"),
    ],
    ids=["generator", "set", "array", "numpy-number", "nested"],
)
def test_a_value_that_a_checkpoint_cannot_hold_is_named(value: object, kind: str) -> None:
    method = bound(Counting())
    method.steps = value  # type: ignore[attr-defined]
    with pytest.raises(MethodError, match=f"a checkpoint cannot hold steps of method counting.* a {kind};"):
        method.state_dict()


def test_a_state_is_restored_in_place() -> None:
    method, other = bound(parse("rigl")), bound(parse("rigl"))
    method.net.grad.normal_(generator=torch.Generator().manual_seed(0))
    method.update(torch.tensor(0.1))
    momentum = other.state["momentum"]
    other.load_state_dict(method.state_dict())
    assert other.state["momentum"] is momentum
    assert repr(other.state_dict()) == repr(method.state_dict())
