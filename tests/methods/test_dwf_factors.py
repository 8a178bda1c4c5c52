"""The distributions that factors start from."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from methods.core.registry import MethodError
from methods.dwf_factors import Initialization, draw_factors

STD = 0.05
N = 200_000


def drawn(scheme: Initialization, depth: int, epsilon: float = 0.25, rescale: bool = False, n: int = N) -> torch.Tensor:
    weights = STD * torch.randn(n, generator=torch.Generator().manual_seed(1))
    weights *= STD / weights.std()
    return draw_factors(weights, depth, scheme, epsilon, rescale, torch.Generator().manual_seed(2)).double()


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_variance_matching_keeps_the_spread_and_grows_the_tails(depth: int) -> None:
    """The product of D normal factors has kurtosis 3^D."""
    product = drawn("variance", depth).prod(0)
    assert product.std().item() == pytest.approx(STD, rel=0.03)
    assert stats.kurtosis(product, fisher=False) == pytest.approx(3**depth, rel=0.05 * depth**2)
    assert product.abs().median().item() / STD == pytest.approx([0.674, 0.365, 0.195, 0.104][depth - 1], rel=0.03)


@pytest.mark.parametrize(
    ("depth", "epsilon", "spread", "kurtosis", "mean"),
    [
        (2, 0.0, 0.51, 4.3, 0.36),
        (2, 0.25, 0.86, 1.7, 0.80),
        (3, 0.05, 0.52, 2.7, 0.44),
        (3, 0.25, 0.81, 1.5, 0.76),
        (4, 0.0, 0.15, 16, 0.08),
        (4, 0.25, 0.78, 1.4, 0.75),
    ],
)
def test_truncation_bounds_the_product_and_shrinks_its_spread(
    depth: int, epsilon: float, spread: float, kurtosis: float, mean: float
) -> None:
    """The expected ratios were simulated independently of this code."""
    factors = drawn("truncated", depth, epsilon)
    product = factors.prod(0)
    assert product.std().item() / STD == pytest.approx(spread, abs=0.015)
    assert stats.kurtosis(product, fisher=False) == pytest.approx(kurtosis, rel=0.06)
    assert product.abs().mean().item() / STD == pytest.approx(mean, abs=0.015)
    assert product.abs().min() > epsilon * STD * (1 - 1e-5) and product.abs().max() < 2 * STD * (1 + 1e-5)
    # each factor by itself is a normal one cut on both sides
    low, high = epsilon ** (1 / depth), 2 ** (1 / depth)
    cut = stats.truncnorm(low, high)
    assert (factors**2).mean().item() / STD ** (2 / depth) == pytest.approx(cut.var() + cut.mean() ** 2, rel=0.01)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_rescaling_brings_the_products_spread_back(depth: int) -> None:
    assert drawn("truncated", depth, rescale=True, n=50_000).prod(0).std().item() == pytest.approx(STD, rel=1e-4)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_standard_factors_have_a_tiny_product(depth: int) -> None:
    assert drawn("standard", depth).prod(0).std().item() == pytest.approx(STD**depth, rel=0.05)


@pytest.mark.parametrize("scheme", ["truncated", "variance", "standard"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_both_signs_are_equally_likely_and_independent(scheme: Initialization, depth: int) -> None:
    factors = drawn(scheme, depth)
    assert (factors > 0).double().mean(1).tolist() == pytest.approx([0.5] * depth, abs=0.005)
    assert (factors.prod(0) > 0).double().mean().item() == pytest.approx(0.5, abs=0.005)


def test_factors_of_a_wide_layer_are_below_one() -> None:
    weights = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    factors = draw_factors(weights, 2, "truncated", 0.25, False, torch.Generator().manual_seed(0))
    assert factors.abs().max() < 1


@pytest.mark.parametrize("weights", [torch.full((9,), 0.3), torch.ones(1), 20 * torch.arange(-4.0, 5)])
def test_a_layer_without_a_valid_range_is_rejected(weights: torch.Tensor) -> None:
    with pytest.raises(MethodError, match="init=ones"):
        draw_factors(weights, 3, "truncated", 0.25, False, torch.Generator())


@pytest.mark.parametrize("depth", [1, 2, 3, 8])
def test_factors_that_keep_the_given_weights(depth: int) -> None:
    weights = torch.tensor([0.5, -0.25, 0.0, -2.0, 1e-3, 3.0])
    generator = torch.Generator()
    root = draw_factors(weights, depth, "root", 0.25, False, generator)
    torch.testing.assert_close(root.prod(0), weights)
    torch.testing.assert_close(root.abs(), weights.abs().pow(1 / depth).expand(depth, -1))
    assert (root[1:] >= 0).all()
    ones = draw_factors(weights, depth, "ones", 0.25, False, generator)
    assert torch.equal(ones[0], weights) and (ones[1:] == 1).all()
    scaled = draw_factors(weights, depth, "scaled", 0.25, False, generator)
    torch.testing.assert_close(scaled.prod(0), weights)
    common = weights.square().mean() ** (1 / (2 * depth))
    torch.testing.assert_close(scaled[1:], common.expand(depth - 1, len(weights)))
    if depth > 1:  # balanced on average
        torch.testing.assert_close(scaled[0].square().mean(), common**2)
    zeros = draw_factors(torch.zeros(16), depth, "scaled", 0.25, False, generator)
    assert not zeros[0].any() and (zeros[1:] == 0.25 ** (1 / depth)).all()
