"""LAMP scores, on weights that are worked out by hand."""

from __future__ import annotations

import pytest
import torch

from methods.core.network import Network
from methods.core.optimizers import Sgd
from methods.core.registry import parse
from methods.core.scores import magnitude_scores
from tests.builders import FakeProbe, kept


def two_layers() -> Network:
    """Return a network of a layer with the weights 1, 2 and -3 and one with the weights 0.1 and 0."""
    nn = torch.nn
    net = Network([nn.Sequential(nn.Linear(3, 1, bias=False), nn.Linear(1, 2, bias=False))])
    net.weights[0] = torch.tensor([1.0, 2.0, -3.0, 0.1, 0.0])
    return net


def test_lamp_divides_each_square_by_those_at_least_as_large_in_its_layer() -> None:
    net = two_layers()
    found = magnitude_scores(net.weights, net.layers, "lamp")
    assert found[0].tolist() == pytest.approx([1 / 14, 4 / 13, 1, 1, 0])
    assert torch.equal(magnitude_scores(net.weights, net.layers, "magnitude"), net.weights.abs())


@pytest.mark.parametrize("form", ["magnitude[score=lamp]", "gmp[score=lamp]", "imp[rounds=1,score=lamp]"])
def test_lamp_keeps_a_layer_that_magnitude_empties(form: str) -> None:
    for written, expected in ((form, [2, 3]), (form.replace("score=lamp", "score=magnitude"), [1, 2])):
        net, method = two_layers(), parse(written)
        method.bind(net, [0.4], Sgd(), 0.0, FakeProbe(net, [0.1] * 4))
        for phase in range(len(method.phases_at(0.4))):
            method.on_phase_start(phase)
        method.finish()
        assert kept(net) == expected


def test_each_of_stacked_matrices_is_a_layer_of_its_own() -> None:
    net = Network([torch.nn.MultiheadAttention(2, 1, bias=False)])
    net.weights[0] = torch.arange(1.0, 17)
    found = magnitude_scores(net.weights, net.layers, "lamp")[0]
    assert (found == 1).nonzero().flatten().tolist() == [3, 7, 11, 15]  # queries, keys, values, and the output


def test_the_neutral_score_stays_out_of_the_written_form() -> None:
    assert str(parse("gmp[score=magnitude]")) == "gmp" and str(parse("magnitude")) == "magnitude"
