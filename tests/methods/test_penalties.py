"""Penalty methods without factors, and other reparametrizations."""

from __future__ import annotations

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from methods.core.base import EPSILON
from methods.core.network import Network
from methods.core.optimizers import Sgd
from methods.core.registry import METHODS, parse
from methods.powerprop import Powerpropagation
from methods.proximal import Proximal
from methods.str import SoftThresholdReparametrization
from tests.builders import WEIGHTS, FakeProbe, kept, parsed, six


def two_layers() -> Network:
    nn = torch.nn
    torch.manual_seed(0)
    return Network([nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3)).double()])


@given(
    form=st.sampled_from([("prox-l1", 1.0), ("prox-lq[q=1/2]", 1 / 2), ("prox-lq[q=2/3]", 2 / 3)]),
    weight=st.floats(-3, 3),
    kappa=st.floats(1e-4, 2),
)
def test_the_proximal_operator_solves_its_scalar_problem(form: tuple[str, float], weight: float, kappa: float) -> None:
    method, q = parsed(form[0], Proximal), form[1]
    ours = method.shrink(torch.tensor(weight).double(), torch.tensor(kappa).double()).item()
    grid = numpy.append(numpy.linspace(-3, 3, 60_001), ours)
    values = (grid - weight) ** 2 / 2 + kappa * numpy.abs(grid) ** q
    assert values[-1] <= values.min() + 1e-9
    assert ours == 0 or numpy.sign(ours) == numpy.sign(weight)


@pytest.mark.parametrize("form", ["prox-l1", "prox-lq[q=1/2]", "prox-lq[q=2/3]"])
def test_a_zero_penalty_or_learning_rate_shrinks_nothing(form: str) -> None:
    weights = torch.tensor([0.5, -1e-6, 0.0, 3.0])
    assert torch.allclose(parsed(form, Proximal).shrink(weights, torch.tensor(0.0)), weights, rtol=1e-4, atol=0)


def test_a_proximal_step_equals_the_one_worked_out_by_hand() -> None:
    net = six()
    method = parse("prox-l1")
    method.bind(net, [0.5], Sgd(0.9), 0.0, FakeProbe(net, [0.1]))
    net.grad.zero_()
    method.update(torch.tensor(0.1))  # kappa = 0.5 * 0.1 / (1 - 0.9)
    assert net.weights[0].tolist() == pytest.approx([0, -3.5, 2.5, 0, 1.5, 0.5])
    assert not net.weights[0, 3]
    net.grad.fill_(-10.0)
    method.update(torch.tensor(0.1))  # a weight comes back where the loss asks for it
    assert net.weights[0].tolist() == pytest.approx([0.5, -2.0, 3.0, 0.5, 2.0, 1.0])


def test_proximal_methods_end_with_zeros_below_epsilon() -> None:
    net = six()
    net.weights[0, :2] = torch.tensor([1e-7, -2e-7])
    method = parse("prox-l1")
    method.bind(net, [0.0], Sgd(), 0.0, FakeProbe(net, [0.1]))
    method.finish()
    assert kept(net) == [1, 2, 3, 4, 5]


def test_norm_decay_divides_the_stepped_weight_by_a_power_of_the_weight_before() -> None:
    net = six()
    net.weights[0, 5] = 0.0
    method = parse("pwd[p=0.5]")
    method.bind(net, [0.2], Sgd(0.9), 0.0, FakeProbe(net, [0.1]))
    net.grad.fill_(1.0)
    method.update(torch.tensor(0.1))
    before = [0.5, -4.0, 3.0, -0.1, 2.0]  # p kappa = 0.5 * 0.2 * 0.1 / (1 - 0.9) = 0.1
    assert net.weights[0].tolist() == pytest.approx([(w - 0.1) / (1 + 0.1 * abs(w) ** -1.5) for w in before] + [0])
    net.grad.zero_()
    method.update(torch.tensor(0.0))  # nothing moves, and a zero over zero gives no NaN
    assert net.weights[0, 5] == 0 and bool(net.weights.isfinite().all())


def test_rewa_steps_the_root_of_a_weight_by_a_smaller_power_than_the_chain_rule() -> None:
    net = six()
    method = parse("rewa[k=3,m=1.5]")
    method.bind(net, [0.2], Sgd(0.0), 0.0, FakeProbe(net, [0.1]))
    net.grad.fill_(1.0)
    method.update(torch.tensor(0.1))
    roots = [numpy.sign(w) * abs(w) ** (1 / 3) for w in WEIGHTS]
    decay = 0.2 * (1 - 0.5 / 3)  # lambda p
    moved = [y - 0.1 * (abs(y) ** 1.5 + decay * y) for y in roots]
    assert net.weights[0].tolist() == pytest.approx([y**3 for y in moved], rel=1e-4)
    net.weights[0, 0] = 8.0  # as a script may
    method.take_up()
    net.grad.zero_()
    method.update(torch.tensor(0.1))
    assert net.weights[0, 0].item() == pytest.approx((2 - 0.1 * decay * 2) ** 3, rel=1e-4)


def test_l1_steps_along_the_subgradient_and_prunes_at_the_end() -> None:
    net = six()
    net.weights[0, 3] = 0.0
    method = parse("l1[penalty_weight=0.5]")
    method.bind(net, [0.5], Sgd(0.0), 0.0, FakeProbe(net, [0.1]))
    net.grad.fill_(1.0)
    method.update(torch.tensor(0.1))
    steps = [1.5, 0.5, 1.5, 1.0, 1.5, 1.5]  # 1 + 0.5 sign(w)
    expected = [w - 0.1 * s for w, s in zip([0.5, -4.0, 3.0, 0.0, 2.0, 1.0], steps, strict=True)]
    assert net.weights[0].tolist() == pytest.approx(expected)
    method.finish()
    assert kept(net) == [1, 2, 4]


def test_the_penalty_of_l1_can_be_the_knob() -> None:
    runs = [torch.nn.Linear(6, 1, bias=False) for _ in range(2)]
    net = Network(runs)
    net.weights.copy_(torch.tensor(WEIGHTS))
    method = parse("l1[by=penalty]")
    assert (method.knob, method.threshold) == ("penalty", EPSILON)
    method.bind(net, [0.5, 0.1], Sgd(0.0), 0.0, FakeProbe(net, [0.1]))
    net.grad.fill_(0.0)
    method.update(torch.tensor(0.1))
    for run, penalty in enumerate((0.5, 0.1)):
        expected = [w - 0.1 * penalty * numpy.sign(w) for w in WEIGHTS]
        assert net.weights[run].tolist() == pytest.approx(expected)
    net.weights[0, 0] = 1e-7
    method.finish()
    assert kept(net) == [1, 2, 3, 4, 5]


def loss(weights: torch.Tensor) -> torch.Tensor:
    return (weights.sin() * torch.arange(1.0, weights.numel() + 1, dtype=torch.float64)).sum()


def test_the_thresholds_of_str_move_along_their_gradients() -> None:
    net = two_layers()
    method = parsed("str[init=-2]", SoftThresholdReparametrization)
    method.bind(net, [0.5], Sgd(0.0), 0.0, FakeProbe(net, [0.1]))
    start = torch.cat([p.detach().flatten() for n, p in net.model.named_parameters() if "weight" in n])
    assert 0 < len(kept(net)) < net.weights.shape[1]  # sigmoid(-2) = 0.12 cuts some from the start
    theta = method.theta.clone().requires_grad_()
    logits = method.logits.clone().requires_grad_()
    threshold = torch.cat([logits[:, i : i + 1].expand(1, layer.size) for i, layer in enumerate(net.layers)], 1)
    weights = theta.sign() * (theta.abs() - threshold.sigmoid()).relu()
    assert torch.equal(weights.detach(), net.weights) and torch.equal(start, net.weights[0])
    decay = 2 * 0.5 / 0.1
    (loss(weights[0]) + decay / 2 * (theta.square().sum() + logits.square().sum())).backward()
    leaf = net.weights[0].clone().requires_grad_()
    loss(leaf).backward()
    assert leaf.grad is not None and theta.grad is not None
    net.grad.copy_(leaf.grad)
    method.update(torch.tensor(0.01, dtype=torch.float64))
    torch.testing.assert_close(method.theta, (theta - 0.01 * theta.grad).detach(), rtol=1e-12, atol=1e-12)
    assert logits.grad is not None
    torch.testing.assert_close(method.logits, (logits - 0.01 * logits.grad).detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("alpha", [1.0, 2.0, 3.5])
def test_powerprop_equals_autograd_through_the_power(alpha: float) -> None:
    net = two_layers()
    before = net.weights.clone()
    method = parsed(f"powerprop[alpha={alpha}]", Powerpropagation)
    method.bind(net, [0.5], Sgd(0.0), 0.01, FakeProbe(net, [0.1]))
    theta = method.theta.clone().requires_grad_()
    weights = theta * theta.abs() ** (alpha - 1)
    torch.testing.assert_close(weights.detach(), before, rtol=1e-12, atol=1e-12)
    (loss(weights[0]) + 0.01 / 2 * theta.square().sum()).backward()
    leaf = net.weights[0].clone().requires_grad_()
    loss(leaf).backward()
    assert leaf.grad is not None and theta.grad is not None
    net.grad.copy_(leaf.grad)
    method.update(torch.tensor(0.01, dtype=torch.float64))
    moved = (theta - 0.01 * theta.grad).detach()
    torch.testing.assert_close(method.theta, moved, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(net.weights, moved * moved.abs() ** (alpha - 1), rtol=1e-12, atol=1e-12)


def test_ham_multiplies_after_the_step() -> None:
    net = six()
    method = parse("ham[mask=magnitude-init,alpha=2,beta=0.5]")
    method.bind(net, [0.5], Sgd(0.9), 0.0, FakeProbe(net, [0.1]))
    net.grad[0] = torch.tensor([9.0, 1.0, -1.0, float("inf"), 25.0, 9.0])
    method.update(torch.tensor(0.1))
    stepped = {i: WEIGHTS[i] - 0.1 * g for i, g in ((1, 1.0), (2, -1.0), (4, 25.0))}  # -4.1, 3.1, -0.5: a new sign
    powers = {1: 2 * -1 * 1.0 + 0.5, 2: 2 * 1 * -1.0 + 0.5, 4: 2 * -1 * 25.0 + 0.5}
    expected = [stepped[i] * numpy.exp(-0.1 * powers[i]) if i in stepped else 0 for i in range(6)]
    assert net.weights[0].tolist() == pytest.approx(expected)
    net.grad.zero_()  # now the step is momentum alone, and its factor has no gradient
    method.update(torch.tensor(0.1))
    expected = [(expected[i] - 0.09 * g) * numpy.exp(-0.05) for i, g in ((1, 1.0), (2, -1.0), (4, 25.0))]
    assert net.weights[0, [1, 2, 4]].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("name", [name for name, cls in METHODS.items() if cls.knob == "strength"])
def test_a_strength_is_lambda_times_the_sum_of_the_learning_rates(name: str) -> None:
    options = "rates=equal" if name == "dwf" else ""  # matched rates give each layer a lambda of its own
    ended = []
    for form, value in ((f"{name}[{options}]", 0.6), (f"{name}[{options},by=penalty]".replace("[,", "["), 0.6 / 3)):
        net, method = six(), parse(form.replace("[]", ""))
        method.bind(net, [value], Sgd(0.9), 0.0, FakeProbe(net, [0.1] * 3))  # S = 10 * 0.3
        for _ in range(3):
            net.grad.fill_(0.1)
            method.update(torch.tensor(0.1))
        assert method.penalty is not None and method.penalty.item() == pytest.approx(0.2)
        ended.append(net.weights)
    torch.testing.assert_close(*ended)
