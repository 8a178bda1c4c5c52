"""Every method on an imitated accelerator: fake tensors know their device and refuse tensors of another one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode

from methods.core.driver import Driver
from methods.core.network import Network
from methods.core.optimizers import Adam, Optimizer, Sgd
from methods.core.registry import METHODS, parse
from tests.builders import FakeProbe, batch_norm_cnn

# SynFlow copies the network, which a fake one does not bear; other forms come to where they rewire and prune at once.
FORMS = {"dwf": "dwf[init=root]", **{name: f"{name}[interval=0.1]" for name in ("rigl", "set", "gmp")}}
VALUES = {"density": 0.5, "strength": 2.0, "penalty": 1e-3, "none": 1.0}
STEPS = 20
ANSWERS = {"item": 1, "__int__": 1, "__index__": 1, "__float__": 0.5, "__bool__": True}


class Answers(TorchFunctionMode):
    """A mode that answers in place of the tensor when the host asks for a number."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(function, "__name__", "")
        if name in ANSWERS:
            return ANSWERS[name]
        if name == "tolist":
            return _ones(args[0].shape)
        return function(*args, **(kwargs or {}))


def _ones(shape: Any) -> Any:
    return [_ones(shape[1:]) for _ in range(shape[0])] if shape else 1


@pytest.mark.parametrize("optimizer", [Sgd(), Adam()], ids=["sgd", "adam"])
@pytest.mark.parametrize("name", sorted(set(METHODS) - {"synflow"}))
def test_a_method_mixes_no_devices(name: str, optimizer: Optimizer) -> None:
    method = parse(FORMS.get(name, name))
    with FakeTensorMode(), Answers():
        with torch.device("cuda"):
            net = Network([batch_norm_cnn(seed) for seed in range(2)])
        probe = FakeProbe(net, [0.1] * STEPS)
        values, budget = [VALUES[method.knob]] * 2, STEPS / sum(method.phases)
        driver = Driver(net, method, values, optimizer, 1e-3, probe, budget)
        for _ in range(STEPS):
            driver.start_phases()
            driver.step(0.1, 0.1)
        driver.finish()
        assert {tensor.device.type for tensor in (net.weights, net.grad, *method.diagnose().values())} == {"cuda"}


def test_a_method_that_mixes_devices_is_found() -> None:
    with FakeTensorMode(), pytest.raises(RuntimeError, match="device"):
        torch.zeros(3, device="cuda") + torch.zeros(3)
