"""Masks by rank and the densities of layers, computed by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from methods.core.masks import keep_top, keep_top_per_layer, layer_counts
from methods.core.network import Layer


def layers(*shapes: tuple[int, ...]) -> list[Layer]:
    made, start = [], 0
    for i, shape in enumerate(shapes):
        size = int(torch.tensor(shape).prod())
        made.append(Layer(f"layer{i}", shape, start, start + size))
        start += size
    return made


@pytest.mark.parametrize(
    ("scores", "keep", "kept"),
    [
        ([3.0, 1, 2, 5, 4, 0], 3, [0, 3, 4]),
        ([1.0, 1, 1, 1, 1, 1], 2, [0, 1]),  # ties: by rank, not above a threshold
        ([0.0, 0, 0, 7, 0, 0], 3, [0, 1, 3]),
        ([float("nan"), 1, float("nan"), 2, 3, 4], 4, [1, 3, 4, 5]),  # NaN is never better than a number
        ([float("nan")] * 6, 2, [0, 1]),
        ([-1.0, -2, float("-inf"), -3, float("inf"), -4], 2, [0, 4]),
        ([1.0, 2, 3, 4, 5, 6], 0, []),
        ([1.0, 2, 3, 4, 5, 6], 6, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_the_largest_scores_are_kept_exactly(scores: list[float], keep: int, kept: list[int]) -> None:
    assert keep_top(torch.tensor([scores]), [keep])[0].nonzero().flatten().tolist() == kept


def test_each_run_of_a_pack_has_its_own_count() -> None:
    mask = keep_top(torch.tensor([[1.0, 2, 3], [3, 2, 1]]), [1, 2])
    assert mask.tolist() == [[False, False, True], [True, True, False]]


def test_uniform_densities_equal_those_worked_out_by_hand() -> None:
    # 0.5 of 4, 6 and 3: 2, 3, 1.5; seven in all, so the largest remainder gets the last one
    assert layer_counts(layers((2, 2), (2, 3), (3, 1)), 7, "uniform") == [2, 3, 2]


def test_erdos_renyi_kernel_densities_equal_those_worked_out_by_hand() -> None:
    # (10 + 10) / 100 = 0.2 and (40 + 10) / 400 = 0.125: eps * (20 + 50) = 35 keeps 10 and 25
    assert layer_counts(layers((10, 10), (40, 10)), 35, "erk") == [10, 25]
    # a convolution counts its kernel: (4 + 2 + 3 + 3) / 72 = 1/6 beside (10 + 5) / 50 = 0.3, eps * (12 + 15) = 27
    assert layer_counts(layers((4, 2, 3, 3), (10, 5)), 27, "erk") == [12, 15]


def test_a_layer_that_would_pass_density_one_is_kept_whole() -> None:
    # 4 weights want eps * 4, 400 want eps * 50; at 104 kept eps is 1.93 > 1: all 4 stay and 100 go to the other
    assert layer_counts(layers((2, 2), (40, 10)), 104, "erk") == [4, 100]


@given(
    shapes=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=5),
    density=st.floats(0, 1),
    distribution=st.sampled_from(["global", "uniform", "erk", "balanced"]),
)
def test_every_distribution_hits_the_budget(shapes: list[tuple[int, int]], density: float, distribution: Any) -> None:
    made = layers(*shapes)
    total = made[-1].stop
    scores = torch.rand(2, total, generator=torch.Generator().manual_seed(0))
    mask = keep_top_per_layer(scores, made, [density, 1.0], distribution)
    assert mask.sum(1).tolist() == [round(density * total), total]
    if distribution != "global":
        counts = layer_counts(made, round(density * total), distribution)
        assert all(0 <= count <= layer.size for count, layer in zip(counts, made, strict=True))
        assert [int(mask[0, layer.span].sum()) for layer in made] == counts
