"""The initialization of the factors of `dwf`."""

from __future__ import annotations

from typing import Literal

from methods.core.lazy import torch
from methods.core.registry import MethodError

Initialization = Literal["scaled", "truncated", "variance", "standard", "root", "ones"]


def draw_factors(
    weights: torch.Tensor,
    depth: int,
    scheme: Initialization,
    epsilon: float,
    rescale: bool,
    generator: torch.Generator,
) -> torch.Tensor:
    """Return factors [D, n] of one layer whose initial weights [n] have standard deviation s.

    A layer of zeros has no scale, so it starts as `scaled` under every scheme.

    scaled: w / c^(D-1) and D - 1 factors of c, where c^D is the root mean square of w, or 1 / sqrt(n) in a layer of
        zeros. The product is w, its factors are balanced on average, and a weight of zero has a gradient. The default.
    truncated: omega ~ N(0, s^(2/D)), redrawn until (epsilon s)^(1/D) < |omega| < min(1, 2 s)^(1/D), so that |w| lies
        between epsilon s and 2 s. `rescale` then scales the product to standard deviation s. Kolb et al., ICLR 2025,
        algorithm 1.
    variance: omega ~ N(0, s^(2/D)). The product has standard deviation s, but kurtosis 3^D.
    standard: omega ~ N(0, s^2). The product has standard deviation s^D, which is close to zero from D = 3 on.
    root: |omega| = |w|^(1/D), with the sign of w on the first factor. The factors are balanced; their product is w.
        A weight of zero among others has no gradient, because all its factors are zero.
    ones: w and D - 1 factors of one. The product is w; the factors are as unbalanced as possible.
    """
    if scheme == "scaled" or not weights.any():
        common = (weights.square().mean().sqrt().item() or len(weights) ** -0.5) ** (1 / depth)
        first = (weights / common ** (depth - 1)).unsqueeze(0)
        return torch.cat([first, weights.new_full((depth - 1, len(weights)), common)])
    if scheme == "root":
        factors = weights.abs().pow(1 / depth).expand(depth, -1).clone()
        factors[0] *= weights.sign()
        return factors
    if scheme == "ones":
        return torch.cat([weights.unsqueeze(0), weights.new_ones(depth - 1, len(weights))])
    std = weights.std(correction=0).item()
    spread = std if scheme == "standard" else std ** (1 / depth)
    # Drawn in float32 on the CPU, so that a seed gives the same factors on every device.
    factors = torch.randn(depth, len(weights), generator=generator) * spread
    if scheme == "truncated":
        low, high = (epsilon * std) ** (1 / depth), min(1.0, 2 * std) ** (1 / depth)
        if not (low < high and std > 1e-6 * weights.abs().max()):  # in a constant layer, std is a rounding error
            raise MethodError(
                f"init=truncated with epsilon={epsilon:g} has no range for a layer of standard deviation {std:g}; "
                "init=root and init=ones start from the given weights"
            )
        while (outside := (factors.abs() <= low) | (factors.abs() >= high)).any():
            factors[outside] = torch.randn(int(outside.sum()), generator=generator) * spread
        if rescale:
            factors *= (std / factors.prod(0).std().item()) ** (1 / depth)
    return factors.to(weights)
