"""Pruning by weights and inputs, and by a quadratic model of the loss: scores and updates worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from benchmark.contract.mask_promises import counts_exactly_for_any_scores
from benchmark.contract.method_promises import counts_what_it_promises, gives_in_a_pack_what_it_gives_alone
from benchmark.contract.stage import batch_norm_cnn, mlp, toy_data
from benchmark.training.probe import Probe
from methods import SparseOptimizer
from methods.core.fishers import BlockFisher, KroneckerFisher
from methods.core.inputs import squared_inputs
from methods.core.network import Network
from methods.core.optimizers import Sgd
from methods.core.registry import parse
from methods.obs import OptimalBrainSurgeon
from tests.builders import FakeProbe, kept, parsed, six


def squares(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    net = Network([model])
    with torch.no_grad(), squared_inputs(model, net.layers) as found:
        model(x)
    return found


def test_inputs_of_a_linear_layer_are_squared_and_summed_over_examples() -> None:
    assert squares(nn.Linear(2, 2), torch.tensor([[1.0, 2], [3, -4]])).tolist() == [10, 20, 10, 20]


def test_inputs_of_a_convolution_are_those_at_one_place_of_its_kernel() -> None:
    image = torch.tensor([[[[1.0, 2, 3]], [[4, 5, 6]]]])  # two channels of 1 x 3
    found = squares(nn.Conv2d(2, 2, (1, 2), groups=2), image)
    assert found.tolist() == [1 + 4, 4 + 9, 16 + 25, 25 + 36]


@pytest.mark.parametrize("model", [nn.GRU(2, 2), nn.LSTMCell(2, 1)])
def test_weights_whose_inputs_are_not_known_have_the_norm_one(model: nn.Module) -> None:
    assert (squares(model, torch.zeros(1, 2)) == 1).all()


@pytest.mark.parametrize("build", [mlp, batch_norm_cnn])
def test_the_probe_gives_norms_and_single_gradients_of_each_run_in_any_phase(build: Any) -> None:
    net, data = Network([build(0), build(1)]), toy_data()
    probe = Probe(net, data.train, 100, [0, 1], torch.ones(2, 4))
    norms, before = probe.input_norms(2), net.weights.clone()
    assert norms.shape == net.weights.shape and not torch.equal(norms[0], norms[1])
    single = torch.stack([torch.stack(list(probe.example_gradients(run, 100))).mean(0) for run in range(2)])
    torch.testing.assert_close(single, probe.gradient(1, training=False), rtol=1e-3, atol=1e-6)
    assert torch.equal(net.weights, before) and net.model.training


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("wanda", [0, 2, 6, 7]),  # |w| ||x|| is 4, 3, 8, 1 and 10, 20, 120, 40
        ("wanda[distribution=global]", [4, 5, 6, 7]),
        ("wanda[distribution=1:2]", [0, 2, 5, 6]),
    ],
)
def test_wanda_keeps_as_many_weights_in_each_row_by_weight_times_norm(form: str, expected: list[int]) -> None:
    net, method = Network([nn.Linear(4, 2, bias=False)]), parse(form)
    net.weights[0] = torch.tensor([4.0, 3, 2, 1, 10, 20, 30, 40])
    probe = FakeProbe(net, [0.1])
    probe.made = torch.tensor([[1.0, 1, 4, 1] * 2])
    method.bind(net, [0.5], Sgd(), 0.0, probe)
    method.finish()
    assert kept(net) == expected


def quadratic(form: str, net: Network, gradients: torch.Tensor, density: float) -> OptimalBrainSurgeon:
    """Return the method after it has pruned, by a Fisher matrix that is the mean of g g^T of these gradients [n, N]."""
    method, probe = parsed(form, OptimalBrainSurgeon), FakeProbe(net, [0.1])
    probe.example_gradients = lambda run, count: iter(gradients)  # type: ignore[method-assign]
    method.bind(net, [density], Sgd(), 0.0, probe)
    method.finish()
    return method


def test_obs_on_a_quadratic_loss_ends_at_the_minimum_of_the_weights_that_stay() -> None:
    net = Network([nn.Linear(2, 1, bias=False)])
    net.weights[0] = torch.tensor([1.0, 2.0])
    # F = [[2, 1], [1, 2]] up to damping, so [F^-1]_ww is alike and w = 1 goes; the other moves by F_12 w_1 / F_22.
    rows = torch.linalg.cholesky(torch.tensor([[2.0, 1], [1, 2]])).T * 2**0.5
    quadratic("obs[damping=1e-6]", net, rows, 0.5)
    assert net.weights[0].tolist() == pytest.approx([0, 2.5], rel=1e-4)


def test_obs_inverts_a_matrix_whose_gradients_hide_the_damping() -> None:
    net = Network([nn.Linear(4, 1, bias=False)])
    net.weights[0] = torch.tensor([1.0, 2, 3, 4])
    quadratic("obs[damping=1e-6]", net, torch.full((8, 4), 1e6), 0.5)
    assert net.weights.isfinite().all() and int(net.weights.count_nonzero()) == 2
    # The output w 1 = 10 stays, since its curvature is the only one.
    assert net.weights.sum().item() == pytest.approx(10, rel=1e-3)


def test_the_diagonal_scores_by_curvature_and_moves_nothing() -> None:
    net = six()  # 0.5, -4, 3, -0.1, 2, 1
    quadratic("obs[block=1]", net, torch.tensor([[9.0, 0.1, 1, 1, 1, 1]]), 0.5)  # |w g| = 4.5, 0.4, 3, 0.1, 2, 1
    assert kept(net) == [0, 2, 4] and net.weights[0, [0, 2, 4]].tolist() == [0.5, 3, 2]


def test_blocks_end_with_their_layer() -> None:
    layers = Network([nn.Sequential(nn.Linear(3, 1, bias=False), nn.Linear(1, 2, bias=False))]).layers
    fisher = BlockFisher(iter(torch.ones(1, 5)), layers, 1.0, block=2)
    assert fisher.blocks(torch.arange(1.0, 6)).tolist() == [[1, 2], [3, 0], [4, 5]]
    assert fisher.joined(fisher.blocks(torch.arange(1.0, 6))).tolist() == [1, 2, 3, 4, 5]


def test_kfac_of_one_example_is_the_matrix_itself() -> None:
    net = Network([nn.Linear(2, 1, bias=False)])
    net.weights[0] = torch.tensor([1.0, 2.0])
    # g = 1 and a = (2, 1), so F = [[4, 2], [2, 1]] + 1 and [F^-1]_ww = 2/6 and 5/6: w = 1 scores 1.5, and w = 2 2.4.
    # The first goes, and the second moves by F_12 w_1 / F_22 = 1.
    quadratic("obs[fisher=kfac,damping=1]", net, torch.tensor([[2.0, 1]]), 0.5)
    assert net.weights[0].tolist() == pytest.approx([0, 3])


@pytest.mark.parametrize("module", [nn.Linear(3, 4), nn.Conv2d(4, 2, (1, 2), groups=2), nn.ConvTranspose1d(2, 3, 2)])
def test_kfac_scores_and_moves_as_its_matrix_says(module: nn.Module) -> None:
    (layer,) = Network([module.double()]).layers
    stream = torch.Generator().manual_seed(0)
    gradients = torch.randn(5, layer.size, generator=stream, dtype=torch.float64)
    fisher = KroneckerFisher(iter(gradients), [layer], 0.1)
    slopes = gradients.view(5, *layer.shape).movedim(1 + layer.output_axis, 1).flatten(2)
    outer, inner = (slopes @ slopes.mT).mean(0), (slopes.mT @ slopes).mean(0)
    places = torch.arange(layer.size).view(layer.shape).movedim(layer.output_axis, 0).flatten()
    matrix = torch.empty(layer.size, layer.size, dtype=torch.float64)
    matrix[places.unsqueeze(1), places] = torch.kron(outer, inner) / gradients.square().sum(1).mean()
    assert matrix.trace() == pytest.approx(gradients.square().sum(1).mean())
    matrix += 0.1 * torch.eye(layer.size)
    torch.testing.assert_close(fisher.inverse_diagonal(), matrix.inverse().diagonal())
    weights, mask = gradients[0], torch.arange(layer.size) % 3 > 0
    expected = torch.zeros_like(weights)
    expected[mask] = torch.linalg.solve(matrix[mask][:, mask], matrix[mask][:, ~mask] @ weights[~mask])
    torch.testing.assert_close(fisher.move(weights, mask), expected)


def test_kfac_solves_the_equations_of_a_flat_loss() -> None:
    # Gradients of a trained network are small, so most of the matrix is damping, and few steps reach full precision.
    (layer,) = Network([nn.Linear(32, 20)]).layers
    stream = torch.Generator().manual_seed(1)
    gradients = torch.randn(20, 20, 1, generator=stream) * torch.randn(20, 1, 32, generator=stream) * 1e-4
    weights, mask = torch.randn(640, generator=stream) * 0.1, torch.rand(640, generator=stream) < 0.1
    found, exact = (
        KroneckerFisher(iter(gradients.flatten(1).to(kind)), [layer], 1e-5).move(weights.to(kind), mask)
        for kind in (torch.float32, torch.float64)
    )
    torch.testing.assert_close(found.double(), exact, rtol=1e-3, atol=1e-6)


def test_kfac_keeps_the_promises_of_methods() -> None:
    form = "obs[examples=20,fisher=kfac]"
    assert counts_what_it_promises(form, batch_norm_cnn) == pytest.approx([0.5, 0.1, 12 / 398], rel=0.01)
    gives_in_a_pack_what_it_gives_alone(form, mlp)
    counts_exactly_for_any_scores(form, mlp)


@pytest.mark.parametrize("form", ["wanda[finetune=0.5]", "obs[examples=3]"])
def test_a_script_gives_them_its_probe(form: str) -> None:
    model, x = mlp(), torch.randn(8, 1, 4, 4, generator=torch.Generator().manual_seed(0))

    def loss() -> torch.Tensor:
        return nn.functional.cross_entropy(model(x), torch.arange(8) % 4)

    optimizer = SparseOptimizer(model, form, density=0.25, steps=4, lr=0.1, rates=[0.1] * 4, probe=loss)
    for _ in range(4):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    optimizer.finish()
    assert sum(int(weight.count_nonzero()) for weight in model.parameters() if weight.dim() > 1) == 60


class Attends(nn.Module):
    """A layer that another module computes, as nn.MultiheadAttention does with its output projection."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.called = nn.Linear(2, 2), nn.Linear(2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.called(input=nn.functional.linear(x, self.read.weight) * 0 + x)
        return out


def test_a_layer_that_is_not_called_has_the_norm_one_and_keywords_are_read() -> None:
    assert squares(Attends(), torch.tensor([[2.0, 3.0]])).tolist() == [1, 1, 1, 1, 4, 9]


def test_a_transposed_convolution_takes_the_size_of_its_output() -> None:
    class Upsamples(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = nn.ConvTranspose1d(1, 1, 2, stride=2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.up(x, torch.Size([5]))
            return out

    assert squares(Upsamples(), torch.tensor([[[1.0, 2.0]]])).tolist() == [5, 5]
