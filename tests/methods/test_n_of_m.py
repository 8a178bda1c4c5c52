"""N:M sparsity: exactly N of every M weights along the input of each layer, by every method with a mask."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from benchmark.contract.mask_promises import counts_exactly_for_any_scores
from benchmark.contract.method_promises import counts_what_it_promises
from methods.core.masks import keep_top_per_layer
from methods.core.network import Layer, Network
from methods.core.optimizers import Sgd
from methods.core.registry import METHODS, MethodError, check_value, parse
from methods.core.spec import options_of
from methods.sr_ste import StraightThrough
from tests.builders import FakeProbe, batch_norm_cnn, kept, mlp, parsed, six

HAVING = [name for name, cls in METHODS.items() if any(option.name == "distribution" for option in options_of(cls))]
FORMS = [f"{name}[distribution=2:4]" for name in sorted(HAVING)]


def keep(scores: list[list[float]], shape: tuple[int, ...], pattern: Any, density: float, axis: int = 1) -> list[int]:
    row = torch.tensor(scores).flatten().unsqueeze(0)
    made = [Layer("one", shape, 0, row.shape[1], input_axis=axis)]
    return keep_top_per_layer(row, made, [density], pattern)[0].nonzero().flatten().tolist()


def groups_of(net: Network, m: int) -> torch.Tensor:
    """Return the kept weights of each group of m inputs, in the layers that have groups."""
    counts = []
    for layer in net.layers:
        if layer.shape[1] % m == 0:
            grouped = (net.weights[:, layer.span] != 0).unflatten(1, layer.shape).movedim(2, -1)
            counts.append(grouped.unflatten(-1, (-1, m)).sum(-1).flatten())
    return torch.cat(counts)


def test_the_largest_of_each_group_stay_and_a_tie_keeps_the_lower_index() -> None:
    scores = [[1.0, 2, 3, 4, 9, 8, 7, 7], [0, 0, 0, 0, 5, float("nan"), 5, 5]]
    assert keep(scores, (2, 8), "2:4", 0.5) == [2, 3, 4, 5, 8, 9, 12, 14]
    assert keep(scores, (2, 8), "1:4", 0.25) == [3, 4, 8, 12]
    assert keep(scores, (2, 8), "4:8", 0.5) == [4, 5, 6, 7, 8, 12, 14, 15]


def test_groups_lie_along_the_input_of_a_convolution_and_of_a_transposed_weight() -> None:
    # Two filters of 2 channels and a kernel of 2: a group is the same place of the kernel in both channels.
    assert keep([[1.0, 8, 2, 7], [5, 1, 5, 2]], (2, 2, 1, 2), "1:2", 0.5) == [1, 2, 4, 7]
    # An input lies along the first axis: the columns are the groups.
    assert keep([[1.0, 8, 2], [5, 1, 5]], (2, 3), "1:2", 0.5, axis=0) == [1, 3, 5]


def test_a_layer_without_groups_keeps_the_same_density_by_rank() -> None:
    row = torch.tensor([[9.0, 8, 7, 1, 2, 3, 1, 2, 3, 4, 5, 6, 7, 8]])
    made = [Layer("three inputs", (2, 3), 0, 6), Layer("four", (2, 4), 6, 14)]
    assert keep_top_per_layer(row, made, [0.5], "2:4")[0].nonzero().flatten().tolist() == [0, 1, 2, 8, 9, 12, 13]


def test_a_density_on_the_way_keeps_the_groups_and_the_largest_others() -> None:
    scores = [[4.0, 3, 2, 1, 9, 8, 7, 6]]
    assert keep(scores, (1, 8), "2:4", 0.75) == [0, 1, 4, 5, 6, 7]
    assert keep(scores, (1, 8), "2:4", 1.0) == list(range(8))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("build", [mlp, batch_norm_cnn])
def test_every_mask_method_ends_with_exactly_n_of_every_m(form: str, build: Any) -> None:
    net, method = Network([build(0), build(1)]), parse(form.replace("synflow[", "synflow[iterations=3,"))
    probe = FakeProbe(net, [0.1] * 8 * len(method.phases_at(0.5)))
    probe.made = torch.randn(net.weights.shape, generator=torch.Generator().manual_seed(0))
    probe.ones = lambda: ((torch.ones(1, 1, 4, 4),), {})  # type: ignore[method-assign]
    method.bind(net, [0.5, 0.5], Sgd(0.9), 1e-3, probe)
    for phase in range(len(method.phases_at(0.5))):
        method.on_phase_start(phase)
        for step in range(8):
            net.grad.normal_(generator=torch.Generator().manual_seed(step))
            method.update(torch.tensor(0.1))
    method.finish()
    assert net.weights.count_nonzero(1).tolist() == [net.weights.shape[1] // 2] * 2
    assert (groups_of(net, 4) == 2).all()


@pytest.mark.parametrize("form", ["gmp[distribution=4:8]", "rigl[distribution=2:4]"])
def test_they_keep_the_promises_of_methods(form: str) -> None:
    assert counts_what_it_promises(form, mlp) == [0.5]
    counts_exactly_for_any_scores(form, mlp)


@pytest.mark.parametrize("form", ["gmp[distribution=2:4]", "control[mask=magnitude[distribution=2:4]]"])
def test_another_density_is_refused_in_one_sentence(form: str) -> None:
    check_value(parse(form), 0.5)
    with pytest.raises(MethodError, match=r"keeps 2 of every 4 weights, so its density must be 0.5, not 0.1$"):
        check_value(parse(form), 0.1)
    check_value(parse("gmp[distribution=1:3]"), 0.333333)


@pytest.mark.parametrize("pattern", ["4:2", "0:4", "4:4", "2:", "2:4:8", "-1:4"])
def test_a_pattern_that_prunes_nothing_or_everything_is_none(pattern: str) -> None:
    with pytest.raises(MethodError, match="one of global, uniform, erk, balanced or N:M with 0 < N < M, such as 2:4"):
        parse(f"magnitude[distribution={pattern}]")


def test_weights_of_convolutions_and_transposed_ones_say_where_their_inputs_lie() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 2), nn.ConvTranspose2d(4, 6, 2), nn.Linear(6, 2))
    layers = Network([model]).layers
    assert [layer.shape[layer.input_axis] for layer in layers] == [3, 4, 6]


def test_sr_ste_trains_dense_copies_and_a_pruned_weight_comes_back() -> None:
    net, method = six(), parsed("sr-ste[refine=0.5]", StraightThrough)
    method.bind(net, [0.5], Sgd(0.0), 0.0, FakeProbe(net, [0.1]))
    assert kept(net) == [1, 2, 4]
    net.grad[0] = torch.tensor([-30.0, 0, 0, 0, 0, 0])  # the gradient at the masked weights
    method.update(torch.tensor(0.1))
    # 0.5 - 0.1 (-30 + 0.5 * 0.5), and 0.1 * 0.5 of the other pruned weights goes; kept ones have no decay
    assert method.theta[0].tolist() == pytest.approx([3.475, -4, 3, -0.095, 2, 0.95])
    assert net.weights[0].tolist() == pytest.approx([3.475, -4, 3, 0, 0, 0])


def test_sr_ste_takes_up_weights_that_a_script_writes_and_masks_them_anew() -> None:
    net, method = six(), parsed("sr-ste", StraightThrough)
    method.bind(net, [0.5], Sgd(0.0), 0.0, FakeProbe(net, [0.1]))
    net.weights[0] = torch.tensor([0.0, -4, 1.5, 7, 2, 0])
    method.take_up()
    assert method.theta[0].tolist() == [0.5, -4, 1.5, 7, 2, 1]
    assert net.weights[0].tolist() == [0, -4, 0, 7, 2, 0]
