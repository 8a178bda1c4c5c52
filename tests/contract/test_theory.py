"""The predictions of the theory of weight factorization, checked with independent solvers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy
import pytest
import torch
from scipy.optimize import brentq
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso

from benchmark.data.split import Data
from benchmark.tasks.task import Task
from benchmark.training.loop import train
from methods.core.base import Method
from methods.core.network import Network
from methods.core.optimizers import Adam, Optimizer, Sgd
from methods.core.registry import parse
from methods.dwf import Factorization
from tests.builders import FakeProbe, mlp, toy_task

DOUBLE = torch.float64


def minimize(
    method: Method,
    gradient: Callable[[torch.Tensor], torch.Tensor],
    size: int,
    penalty: float,
    rate: float,
    steps: int,
    start: torch.Tensor | None = None,
    optimizer: Optimizer | None = None,
) -> torch.Tensor:
    """Return the weights after full-batch gradient descent at a constant rate on one layer of `size` weights."""
    optimizer = optimizer or Sgd(0.9)
    net = Network([torch.nn.Linear(size, 1, bias=False, dtype=DOUBLE)])
    if start is not None:
        net.weights[0] = start
    value = penalty * optimizer.lr_gain * rate * steps if method.knob == "strength" else penalty
    method.bind(net, [value], optimizer, 0.0, FakeProbe(net, [rate] * steps))
    for _ in range(steps):
        net.grad[0] = gradient(net.weights[0])
        method.update(torch.tensor(rate, dtype=DOUBLE))
    return net.weights[0].clone()


def least_squares(design: str) -> tuple[numpy.ndarray, numpy.ndarray]:
    if design == "diabetes":
        x, y = load_diabetes(return_X_y=True)
    else:
        generator = numpy.random.default_rng(int(design))
        x = generator.standard_normal((60, 30))
        y = x[:, :5] @ generator.standard_normal(5) + 0.3 * generator.standard_normal(60)
    return (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std()


def both(
    method: Method, design: str, penalty: float, steps: int, optimizer: Sgd
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Return the solution of the Lasso, and the weights of a method with the same penalty."""
    x, y = least_squares(design)
    lasso = Lasso(alpha=penalty, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(x, y).coef_
    inputs, target = torch.tensor(x), torch.tensor(y)
    ours = minimize(
        method,
        lambda w: inputs.T @ (inputs @ w - target) / len(target),
        x.shape[1], penalty, rate=0.02, steps=steps, optimizer=optimizer,
    ).numpy()  # fmt: skip
    assert 0 < (lasso != 0).sum() <= x.shape[1]
    return lasso, ours


@pytest.mark.parametrize(("design", "penalty"), [("diabetes", 0.02), ("1", 0.08), ("2", 0.3), ("diabetes", 0.3)])
def test_depth_two_solves_the_lasso(design: str, penalty: float) -> None:
    """(lambda / 2) (||u||^2 + ||v||^2) with w = u v has the minimum of lambda ||w||_1."""
    lasso, ours = both(Factorization(depth=2, by="penalty"), design, penalty, 20_000, Sgd(0.9))
    numpy.testing.assert_allclose(ours, lasso, atol=1e-4)
    assert ((numpy.abs(ours) > 1e-5) == (lasso != 0)).all()


@pytest.mark.parametrize("design", ["diabetes", "1"])
@pytest.mark.parametrize(
    "optimizer", [Sgd(0.0), Sgd(0.9), Sgd(0.9, nesterov=True)], ids=["plain", "momentum", "nesterov"]
)
def test_proximal_steps_solve_the_lasso_at_any_momentum(design: str, optimizer: Sgd) -> None:
    lasso, ours = both(parse("prox-l1"), design, 0.08, 8_000, optimizer)
    numpy.testing.assert_allclose(ours, lasso, atol=1e-5)
    assert ((ours != 0) == (lasso != 0)).all()


def outer_minimizer(z: float, penalty: float, power: float) -> float:
    """Search for the local minimizer w > 0 of (w - z)^2 / 2 + penalty w^power for z > 0; return 0 if there is none."""

    def slope(w: float) -> float:
        return w - z + penalty * power * w ** (power - 1)

    grid = numpy.linspace(z, 0, 20_001)[:-1]
    below = [w for w in grid if slope(w) < 0]
    return brentq(slope, below[0], z) if below else 0.0


@pytest.mark.parametrize(("depth", "init"), [(3, "scaled"), (4, "truncated"), (4, "root"), (3, "variance")])
def test_deeper_factors_end_at_a_minimizer_of_the_scalar_problem(depth: int, init: str) -> None:
    """The end is zero or the outer minimizer; it is zero if there is no outer minimizer."""
    penalty = 0.2
    z = torch.linspace(-2, 2, 81, dtype=DOUBLE)
    start = 0.8 * torch.sin(3 * torch.arange(81, dtype=DOUBLE))
    method = parse(f"dwf[depth={depth},by=penalty,init={init}]")
    assert isinstance(method, Factorization)
    ours = minimize(method, lambda w: w - z, 81, penalty, rate=0.02, steps=15_000, start=start)
    outer = torch.tensor([math.copysign(outer_minimizer(abs(v), penalty, 2 / depth), v) for v in z.tolist()])
    zero = ours.abs() < 1e-6
    torch.testing.assert_close(ours[~zero], outer.to(DOUBLE)[~zero], rtol=0, atol=1e-4)
    alone = outer == 0
    assert zero[alone].all() and 0 < alone.sum() < 81
    assert (~zero).sum() >= 10
    # the penalty is not convex: from the edge of the dead zone a weight jumps
    assert ours[~zero].abs().min() > 0.1


@pytest.mark.parametrize("optimizer", [Sgd(0.0), Sgd(0.9)], ids=["plain", "momentum"])
@pytest.mark.parametrize(
    ("form", "p"),
    [
        ("pwd[p=0.5]", 1 / 2),
        ("pwd[p=0.6666667]", 2 / 3),
        ("pwd[p=1.5]", 1.5),
        ("rewa", 8 / 9),
        ("rewa[k=3,m=0]", 4 / 3),
    ],
)
def test_penalties_of_any_exponent_end_at_a_minimizer_of_the_scalar_problem(
    form: str, p: float, optimizer: Sgd
) -> None:
    z = torch.tensor([-2.0, -1.0, -0.01, 0.01, 0.9, 1.4, 2.0], dtype=DOUBLE)
    rate = 0.02 * (1 - optimizer.momentum)
    ours = minimize(parse(form), lambda w: w - z, 7, 0.2, rate, 8_000, start=z.sign(), optimizer=optimizer)
    outer = torch.tensor([math.copysign(outer_minimizer(abs(v), 0.2, p), v) for v in z.tolist()], dtype=DOUBLE)
    torch.testing.assert_close(ours, outer, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("pwd", "proximal"), [("pwd[p=0.5]", "prox-lq[q=1/2]"), ("pwd[p=0.6666667]", "prox-lq")])
def test_norm_decay_agrees_with_the_proximal_steps_of_its_penalty(pwd: str, proximal: str, toy_data: Data) -> None:
    for penalty in (1e-3, 3e-3):
        one, other = (
            train(toy_task(), parse(form), [penalty], [0], 20, 0.1, toy_data, "float32")[0].measured
            for form in (pwd, proximal)
        )
        assert one.density is not None and other.density is not None and one.density < 0.6
        assert one.density == pytest.approx(other.density, rel=0.12)
        assert one.test_accuracy == pytest.approx(other.test_accuracy, abs=2.5)


@pytest.mark.parametrize(("m", "passes"), [(0, True), (8, False)])
def test_a_weight_passes_zero_under_the_scaled_step_alone(m: int, passes: bool) -> None:
    """The chain rule, m = k - 1, stops at zero on the way from -1 to 1; a smaller power of y does not."""
    start = torch.tensor([-1.0], dtype=DOUBLE)
    ours = minimize(parse(f"rewa[k=9,m={m}]"), lambda w: w - 1, 1, 0.0, 0.05, 3_000, start, Sgd(0.0))
    assert ours.item() == pytest.approx(1 if passes else 0, abs=0.01)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("optimizer", [Sgd(0.0), Sgd(0.9)], ids=["plain", "momentum"])
def test_an_unneeded_weight_shrinks_by_the_strength_alone(depth: int, optimizer: Sgd) -> None:
    """|w| falls by exp(-2 strength), whatever the depth: this is what makes strengths comparable."""
    start = torch.linspace(0.1, 1, 12, dtype=DOUBLE)
    method = Factorization(depth=depth, init="root", rates="equal")
    ours = minimize(method, torch.zeros_like, 12, 1.5 / (optimizer.lr_gain * 100), 0.025, 4000, start, optimizer)
    torch.testing.assert_close(ours / start, torch.full_like(start, math.exp(-3)), rtol=0.02, atol=0)


@pytest.mark.parametrize("depth", [2, 3])
def test_coupled_decay_prunes_under_adam_and_decoupled_decay_does_not(depth: int) -> None:
    z = torch.linspace(-1, 1, 40, dtype=DOUBLE)

    def zeros(decay: str) -> torch.Tensor:
        method = parse(f"dwf[depth={depth},init=root,decay={decay}]")
        ours = minimize(method, lambda w: w - z, 40, 0.3, rate=0.01, steps=4_000, start=z.sign() / 2, optimizer=Adam())
        return ours.abs() < 1e-5

    coupled = zeros("coupled")
    assert 10 <= coupled.sum() < 40 and z[coupled].abs().max() < z[~coupled].abs().min()  # all small ones
    assert not zeros("decoupled").any()


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_imbalance_decays_at_its_rate_under_any_loss(depth: int) -> None:
    """omega_i^2 - omega_j^2 falls by 1 - 4 lambda lr / D a step, up to O(lr^2), while the data pull at the product."""
    penalty, rate, steps = 0.5, 1e-3, 1500
    method = Factorization(depth=depth, init="truncated", rates="equal")
    net = Network([torch.nn.Linear(20, 1, bias=False, dtype=DOUBLE)])
    method.bind(net, [penalty * rate * steps], Sgd(0.0), 0.0, FakeProbe(net, [rate] * steps))
    imbalance = method.factors[0] ** 2 - method.factors[1] ** 2
    target = torch.linspace(-1, 1, 20, dtype=DOUBLE)
    for _ in range(steps):
        net.grad[0] = net.weights[0] - target
        method.update(torch.tensor(rate, dtype=DOUBLE))
    left = (method.factors[0] ** 2 - method.factors[1] ** 2) / imbalance
    expected = (1 - 4 * penalty * rate / depth) ** steps
    torch.testing.assert_close(left, torch.full_like(left, expected), rtol=0.02, atol=0)


def test_depth_one_is_dense_training_with_weight_decay(toy_data: Data) -> None:
    """lambda w^2 has the gradient 2 lambda w: weight decay 2 lambda, from the same start, to rounding."""
    data = Data.in_memory(*((x[:].double(), y) for x, y in (toy_data.train, toy_data.val, toy_data.test)))

    def task(weight_decay: float = 0.0) -> Task:
        return toy_task(lambda seed: mlp(seed).double(), weight_decay=weight_decay)

    (one,) = train(task(), parse("dwf[depth=1,init=root]"), [0.7], [0], 3, 0.1, data, "float32")
    penalty = one.measured.penalty
    assert isinstance(penalty, float)
    (dense,) = train(task(2 * penalty), parse("dense"), [1.0], [0], 3, 0.1, data, "float32")
    for name in ("train_loss", "test_loss", "test_accuracy", "val_accuracy"):
        assert getattr(one.measured, name) == pytest.approx(getattr(dense.measured, name), rel=1e-6), name


def test_the_plain_network_computes_the_product_of_the_factors() -> None:
    """The plain network has the outputs of the product of the factors at every step."""
    net = Network([mlp(0)])
    method = parse("dwf[depth=4]")
    assert isinstance(method, Factorization)
    method.bind(net, [1.0], Sgd(0.9), 0.0, FakeProbe(net, [0.1] * 3))
    x = torch.randn(5, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    for _ in range(3):
        net.grad.copy_(torch.sin(torch.arange(net.grad.numel())).view_as(net.grad))
        method.update(torch.tensor(0.1))
        weights = {layer.name: method.factors[:, 0, layer.span].prod(0).view(layer.shape) for layer in net.layers}
        torch.testing.assert_close(net.model(x), torch.func.functional_call(net.model, weights, (x,)))
