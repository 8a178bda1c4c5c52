"""Steps of iht, admm, deephoyer and sign-in, worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from methods import SparseOptimizer
from methods.admm import AlternatingDirections
from methods.core.network import Network
from methods.core.optimizers import Sgd
from methods.core.registry import MethodError, parse
from methods.deephoyer import slope
from methods.iht import IterativeHardThresholding
from methods.sign_in import SignIn
from tests.builders import WEIGHTS, FakeProbe, kept, mlp, parsed, six

LR = torch.tensor(0.1)


def test_iht_projects_and_a_pruned_weight_can_return_until_the_support_is_fixed() -> None:
    net, method = six(), parsed("iht[interval=0.3,update_end=1]", IterativeHardThresholding)
    method.bind(net, [0.5], Sgd(0.9), 0.0, FakeProbe(net, [0.1] * 3))
    net.grad[0] = torch.tensor([1.0, 0, 0, 0, 0, 0])
    method.update(LR)
    assert kept(net) == [1, 2, 4] and method.mask is None
    assert not method.state["momentum"][0, 0]  # what is pruned starts again without momentum
    net.grad[0] = torch.tensor([-50.0, 0, 0, 0, 0, 0])
    method.update(LR)
    assert kept(net) == [0, 1, 2] and net.weights[0, 0] == 5.0
    for _ in range(2):
        net.grad[0] = torch.tensor([0.0, 0, 0, 0, -500, 0])
        method.update(LR)
    assert kept(net) == [0, 1, 4]  # the third and last step fixes the support
    net.grad[0] = torch.tensor([0.0, 0, -5000, 0, 0, 0])
    method.update(LR)
    assert kept(net) == [0, 1, 4]


def test_iht_with_a_budget_too_short_for_a_step_still_ends_at_its_density() -> None:
    net, method = six(), parsed("iht", IterativeHardThresholding)
    method.bind(net, [1 / 6], Sgd(), 0.0, FakeProbe(net, [0.1]))
    method.finish()
    assert kept(net) == [1]


def test_admm_pulls_towards_its_sparse_copy_and_its_multipliers_grow() -> None:
    net, method = six(), parsed("admm[rho=0.5,interval=1]", AlternatingDirections)
    method.bind(net, [0.5], Sgd(0.0), 0.0, FakeProbe(net, [0.1]))
    assert method.target[0].tolist() == [0, -4, 3, 0, 2, 0] and not method.dual.any()
    net.grad.zero_()
    method.update(LR)  # w - 0.1 * 0.5 * (w - z)
    assert net.weights[0].tolist() == pytest.approx([0.475, -4, 3, -0.095, 2, 0.95])
    assert method.dual[0].tolist() == pytest.approx([0.475, 0, 0, -0.095, 0, 0.95])
    net.grad.zero_()
    method.update(LR)  # and now with u: 0.475 - 0.1 * 0.5 * (0.475 + 0.475)
    assert net.weights[0, 0].item() == pytest.approx(0.4275)
    method.on_phase_start(1)
    assert kept(net) == [1, 2, 4]
    before = net.weights.clone()
    net.grad.zero_()
    method.update(LR)
    assert torch.equal(net.weights, before)  # fine-tuning has no pull


def test_the_slope_of_hoyer_square_is_the_derivative_of_the_penalty() -> None:
    assert slope(torch.tensor([[1.0, -3.0], [0.0, 0.0]])).flatten().tolist() == pytest.approx([0.48, 0.16, 0, 0])
    weights = torch.randn(2, 7, requires_grad=True)
    (weights.abs().sum(1) ** 2 / weights.square().sum(1)).sum().backward()
    torch.testing.assert_close(slope(weights.detach()), weights.grad)


def test_deephoyer_adds_the_slope_of_each_layer_until_it_prunes() -> None:
    net, method = six(), parse("deephoyer[penalty_weight=0.5]")
    method.bind(net, [0.5], Sgd(0.0), 0.0, FakeProbe(net, [0.1]))
    net.grad.zero_()
    method.update(LR)
    expected = torch.tensor(WEIGHTS) - 0.1 * 0.5 * slope(torch.tensor([WEIGHTS]))[0]
    torch.testing.assert_close(net.weights[0], expected)
    method.on_phase_start(1)
    before = net.weights.clone()
    net.grad.zero_()
    method.update(LR)
    assert kept(net) == [1, 2, 4] and torch.equal(net.weights, before)


def pair(form: str = "sign-in[interval=1]", steps: int = 1) -> tuple[Network, SignIn]:
    net, method = Network([torch.nn.Linear(2, 1, bias=False)]), parsed(form, SignIn)
    net.weights[0] = torch.tensor([math.sqrt(2), 0.0])
    method.bind(net, [1.0], Sgd(0.0), 0.0, FakeProbe(net, [0.1] * steps))
    return net, method


def test_the_factors_of_sign_in_learn_by_the_chain_rule_and_are_balanced_again() -> None:
    net, method = pair()
    assert method.factors[:, 0].flatten().tolist() == pytest.approx([math.sqrt(2), 1, 1, 0])  # m^2 - v^2 = 1
    net.grad[0] = torch.tensor([1.0, 2.0])
    method.update(LR)
    m, v = math.sqrt(2) - 0.1, 1 - 0.1 * math.sqrt(2)
    assert net.weights[0].tolist() == pytest.approx([m * v, -0.2])  # 1 * (0 - 0.1 * 2 * 1)
    first, second = method.factors[:, 0]
    torch.testing.assert_close(first * second, net.weights[0])
    torch.testing.assert_close(first.square() - second.square(), torch.ones(2))


def test_sign_in_keeps_the_mask_of_the_method_inside_and_passes_zero() -> None:
    net = six()
    method = parsed("sign-in[mask=magnitude-init]", SignIn)
    method.bind(net, [0.5], Sgd(0.9), 1e-3, FakeProbe(net, [0.1] * 30))
    for _ in range(30):
        net.grad.copy_(net.weights + 1)  # towards -1 everywhere
        method.update(torch.tensor(0.05))
    assert kept(net) == [1, 2, 4] and (net.weights[0, [1, 2, 4]] < 0).all()


@pytest.mark.parametrize("mask", ["gmp", "dwf", "rigl", "dense"])
def test_sign_in_takes_masks_that_are_there_before_training(mask: str) -> None:
    with pytest.raises(MethodError, match="prunes before training"):
        parse(f"sign-in[mask={mask}]")


def test_sign_in_takes_up_weights_that_a_script_writes() -> None:
    model = mlp()
    optimizer = SparseOptimizer(model, "sign-in", density=1.0, steps=3, lr=0.1)
    with torch.no_grad():
        model.get_parameter("1.weight")[0, 0] = 3.0
    torch.nn.functional.cross_entropy(model(torch.zeros(4, 1, 4, 4)), torch.arange(4)).backward()
    optimizer.step()  # the inputs are zero, so the first layer has no gradient
    assert model.get_parameter("1.weight")[0, 0].item() == pytest.approx(3.0)
