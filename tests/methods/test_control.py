"""The controls, which train again with a changed mask or with new weights."""

from __future__ import annotations

import pytest
import torch

from methods.control import Control
from methods.core.network import Network
from methods.core.optimizers import Sgd
from methods.core.registry import parse
from tests.builders import FakeProbe, mlp


def retrained(kind: str, mask: str = "magnitude[finetune=0]") -> tuple[Network, torch.Tensor, torch.Tensor, Control]:
    """Return the network, the first training's initial weights and mask, and the control before the second one."""
    net = Network([mlp()])
    start = net.weights.clone()
    method = parse(f"control[mask={mask},kind={kind}]")
    assert isinstance(method, Control)
    net.other_state = {"momentum": torch.zeros_like(net.other_params)}
    method.bind(net, [0.25], Sgd(), 0.0, FakeProbe(net, [0.1] * 10))
    method.on_phase_start(0)
    for _ in range(5):
        net.grad.normal_(generator=torch.Generator().manual_seed(3))
        method.update(torch.tensor(0.1))
        net.other_params.add_(1.0)
        net.other_state["momentum"].add_(1.0)
    twin = net.weights.clone()
    cut = twin.abs() < twin.abs().flatten().sort(descending=True).values[round(0.25 * twin.numel()) - 1]
    method.on_phase_start(len(method.inner.phases))
    return net, start, ~cut, method


@pytest.mark.parametrize("kind", ["shuffle", "random", "reinit"])
def test_a_control_keeps_its_mask_or_weights_and_restarts_training(kind: str) -> None:
    net, start, finished, method = retrained(kind)
    kept = net.weights != 0
    for layer in net.layers:
        assert kept[:, layer.span].sum() == finished[:, layer.span].sum()
    assert torch.equal(kept, finished) == (kind == "reinit")
    assert torch.equal(net.other_params[0], torch.cat([p.detach() for n, p in mlp().named_parameters() if "bias" in n]))
    if kind == "reinit":
        assert not torch.equal(net.weights[kept], start[kept])
        for layer in net.layers:
            whole = method.start_weights[0, layer.span]
            assert set(whole.tolist()) == set(Network([mlp()]).weights[0, layer.span].tolist())
    else:
        assert torch.equal(net.weights[kept], start[kept])
    assert not net.other_state["momentum"].any()
    before = net.weights.clone()
    net.grad.fill_(1.0)
    method.update(torch.tensor(0.1))
    assert torch.equal(net.weights, torch.where(kept, before - 0.1, 0))  # no momentum of the first training


def test_the_first_training_of_a_control_has_its_usual_budget() -> None:
    *_, method = retrained("shuffle", "dwf[depth=2]")
    assert method.knob == "strength"
    assert method.phases == (1.0, 1.0)
    alone = parse("dwf[depth=2]")
    net = Network([mlp()])
    alone.bind(net, [0.25], Sgd(), 0.0, FakeProbe(net, [0.1] * 5))
    assert alone.penalty is not None
    assert method.penalty is None and method.inner.penalty is not None
    assert torch.equal(method.inner.penalty, alone.penalty)
