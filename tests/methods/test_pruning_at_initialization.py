"""Scores and masks of the methods that prune before training."""

from __future__ import annotations

import itertools

import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark.data.inputs import InMemory
from benchmark.training.probe import Probe
from methods.core.masks import layer_counts
from methods.core.network import Layer, Network, hessian_gradient
from methods.core.optimizers import Sgd
from methods.core.probe import Arguments
from methods.core.registry import parse
from methods.random import Random
from methods.synflow import flow
from tests.builders import FakeProbe, batch_norm_cnn, kept, mlp, parsed, six


def two_layers() -> Network:
    """Return a network of two inputs, two hidden units and one output, without biases."""
    nn = torch.nn
    net = Network([nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False))])
    net.weights[0] = torch.tensor([1.0, -2.0, 3.0, 0.0, -1.0, 2.0])
    return net


def ones(*shape: int) -> Arguments:
    return (torch.ones(1, *shape),), {}


def test_flow_equals_the_one_worked_out_by_hand() -> None:
    # |W1| 1 = (1 + 2, 3 + 0); output = 1 * 3 + 2 * 3 = 9. Each weight's score is the flow through it.
    assert flow(two_layers(), 0, ones(2)).tolist() == [1, 2, 6, 0, 3, 6]


def test_iterative_synflow_keeps_a_path_that_one_iteration_would_prune() -> None:
    net = two_layers()
    parse("synflow").bind(net, [2 / 6], Sgd(), 0.0, FakeProbe(net, [0.1]))
    assert kept(net) == [2, 5]  # one path from input to output, of weights 3 and 2
    assert net.weights[0, [2, 5]].tolist() == [3, 2]


@given(seed=st.integers(0, 2**31), sizes=st.lists(st.integers(1, 6), min_size=3, max_size=5))
def test_flow_is_conserved_from_layer_to_layer(seed: int, sizes: list[int]) -> None:
    torch.manual_seed(seed)
    layers = [torch.nn.Linear(a, b, bias=False) for a, b in itertools.pairwise(sizes)]
    net = Network([torch.nn.Sequential(*layers)])
    scores = flow(net, 0, ones(sizes[0]))
    sums = torch.stack([scores[layer.span].sum() for layer in net.layers])
    torch.testing.assert_close(sums, sums[:1].expand_as(sums), rtol=1e-9, atol=0)


def test_computing_flow_does_not_change_the_network() -> None:
    model = batch_norm_cnn()
    net = Network([model])
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    net.grad.fill_(1.0)
    flow(net, 0, ones(1, 4, 4))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert (net.grad == 1).all()


def test_iterative_snip_scores_the_partly_pruned_network() -> None:
    net = six()
    seen, asked = [], []

    class Probe(FakeProbe):
        def gradient(self, batches: int, first: int = 0, training: bool = True) -> torch.Tensor:
            seen.append(kept(net))
            asked.append((batches, first))
            return torch.ones_like(net.weights)

    parse("snip[iterations=2,batches=3]").bind(net, [1 / 3], Sgd(), 0.0, Probe(net, [0.1]))
    # |w| = .5, 4, 3, .1, 2, 1; densities (1/3)^(1/2) = 0.577, so round(3.46) = 3 weights, then 2
    assert seen == [[0, 1, 2, 3, 4, 5], [1, 2, 4]] and asked == [(3, 0), (3, 3)]
    assert kept(net) == [1, 2]


def test_pruned_weights_stay_pruned_at_any_score() -> None:
    net = six()
    method = parsed("random", Random)
    method.bind(net, [0.5], Sgd(), 0.0, FakeProbe(net, [0.1]))
    left = kept(net)
    method.prune_to(torch.zeros(1, 6).scatter_(1, (net.weights == 0).nonzero()[:, 1:].T, 9.0))
    assert kept(net) == left


def test_magnitude_at_initialization_keeps_the_largest() -> None:
    net = six()
    parse("magnitude-init").bind(net, [0.5], Sgd(), 0.0, FakeProbe(net, [0.1]))
    assert kept(net) == [1, 2, 4]


def test_balanced_keeps_the_same_number_in_every_layer() -> None:
    layers = [Layer("a", (10, 10), 0, 100), Layer("b", (2, 5), 100, 110), Layer("c", (10, 40), 110, 510)]
    assert layer_counts(layers, 24, "balanced") == [8, 8, 8]
    assert layer_counts(layers, 90, "balanced") == [40, 10, 40]  # the smallest layer is kept whole
    assert layer_counts(layers, 510, "balanced") == [100, 10, 400]


def test_grasp_keeps_weights_that_preserve_gradient_flow() -> None:
    net = six()
    probe = FakeProbe(net, [0.1])
    probe.made = torch.tensor([[2.0, 1.0, -1.0, 10.0, 3.0, 0.1]])  # w * Hg = 1, -4, -3, -1, 6, 0.1
    parse("grasp").bind(net, [0.5], Sgd(), 0.0, probe)
    assert kept(net) == [0, 4, 5]


def test_the_hessian_gradient_of_a_quadratic_is_exact() -> None:
    # L = w A w / 2 has g = A w and H g = A A w
    a = torch.tensor([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 1.0]], dtype=torch.float64)
    one, two = torch.tensor([1.0], dtype=torch.float64), torch.tensor([-2.0, 3.0], dtype=torch.float64)
    one.requires_grad_(), two.requires_grad_()
    w = torch.cat([one, two])
    assert torch.allclose(hessian_gradient(w @ a @ w / 2, [one, two]), a @ a @ w.detach())


def test_the_hessian_gradient_equals_a_finite_difference_of_gradients() -> None:
    torch.manual_seed(0)
    x, y = torch.randn(40, 1, 4, 4, dtype=torch.float64), torch.arange(4).repeat(10)
    net = Network([mlp().double() for _ in range(2)])
    probe = Probe(net, (InMemory(x), y), 40, [0, 0], torch.full((2, 1), 0.1))
    product = probe.hessian_gradient(10, 2.0)  # all examples, so that their order does not matter

    def gradient(weights: torch.Tensor) -> torch.Tensor:
        model = mlp().double()
        twin = Network([model])
        twin.weights.copy_(weights)
        torch.nn.functional.cross_entropy(model(x) / 2.0, y).backward()
        return twin.grad[0].clone()

    w, step = net.weights[0], 1e-5
    g = gradient(w)
    expected = (gradient(w + step * g) - gradient(w - step * g)) / (2 * step)
    torch.testing.assert_close(product[0], expected, rtol=1e-4, atol=1e-8)
    assert torch.equal(product[0], product[1])
    assert not net.grad.any()
    in_batches = Probe(net, (InMemory(x), y), 7, [0, 0], torch.full((2, 1), 0.1)).hessian_gradient(10, 2.0)
    torch.testing.assert_close(in_batches, product, rtol=1e-9, atol=1e-12)
