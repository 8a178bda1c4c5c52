"""Masks by rank: the number of weights that each layer keeps, and the choice of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from methods.core.lazy import torch
from methods.core.network import Layer
from methods.core.option_types import Ratio, ratio
from methods.core.registry import MethodError

Distribution = Literal["global", "uniform", "erk", "balanced"] | Annotated[str, Ratio()]


def check_scores(method: str, scores: torch.Tensor) -> None:
    """Raise MethodError if a row of scores [R, N] ranks no weight: if all are zero, or if one is not finite."""
    if not bool(scores.isfinite().all()):
        raise MethodError(f"{method} cannot rank weights by scores that are not finite; check the data and the loss")
    if not bool(scores.any(1).all()):
        raise MethodError(
            f"the scores of {method} are all zero, so they rank no weight; does the loss depend on the weights, and is "
            "an output layer all zeros?"
        )


def keep_top(scores: torch.Tensor, keep: Sequence[int]) -> torch.Tensor:
    """Return the mask [R, N] of exactly the keep[r] largest scores of each row; a tie keeps the lower index."""
    last = torch.finfo(scores.dtype).min  # above -inf, the score of weights that must not be kept
    scores = scores.nan_to_num(nan=last, posinf=torch.inf, neginf=-torch.inf)
    return torch.stack([_top(row, count) for row, count in zip(scores, keep, strict=True)])


def _top(scores: torch.Tensor, keep: int) -> torch.Tensor:
    if not keep:
        return torch.zeros_like(scores, dtype=torch.bool)
    least = scores.topk(keep, sorted=False).values.amin()  # topk takes a tenth of the time of a sort
    above, ties = scores > least, scores == least
    return above | ties & (ties.cumsum(0) <= keep - above.sum())


def keep_top_per_layer(
    scores: torch.Tensor, layers: Sequence[Layer], densities: Sequence[float], distribution: Distribution
) -> torch.Tensor:
    """Return the mask [R, N] that keeps round(density * N) weights a row, ranked globally or within each layer.

    2:4 keeps the 2 largest scores of every 4 weights that follow one another along the input of a layer, as torch's
    2:4 does; a layer whose number of inputs 4 does not divide has no groups and keeps the same density by rank. At a
    density above 1/2, as on a schedule, the largest scores of the other weights are kept, too. N:M is likewise.
    """
    total = scores.shape[-1]
    if numbers := ratio(distribution):
        return _keep_n_of_m(scores, layers, densities, *numbers)
    if distribution == "global":
        return keep_top(scores, [round(density * total) for density in densities])
    counts = [layer_counts(layers, round(density * total), distribution) for density in densities]
    masks = [keep_top(scores[:, layer.span], [row[i] for row in counts]) for i, layer in enumerate(layers)]
    return torch.cat(masks, dim=-1)


def _keep_n_of_m(
    scores: torch.Tensor, layers: Sequence[Layer], densities: Sequence[float], n: int, m: int
) -> torch.Tensor:
    share, (runs, total) = n / m, scores.shape
    least = round(share * total)
    loose = [layer for layer in layers if not has_groups(layer, m)]
    in_groups = (total - sum(layer.size for layer in loose)) // m * n
    counts = dict(zip(loose, layer_counts(loose, least - in_groups, "uniform"), strict=True))
    parts = [keep_in_layer(scores[:, layer.span], layer, [counts.get(layer, 0)] * runs, f"{n}:{m}") for layer in layers]
    most = torch.finfo(scores.dtype).max
    first = scores.nan_to_num(nan=-most, posinf=most, neginf=-torch.inf).masked_fill(torch.cat(parts, 1), torch.inf)
    above = [density > share * (1 + 1e-5) for density in densities]  # written with few digits
    kept = [round(density * total) if more else least for density, more in zip(densities, above, strict=True)]
    return keep_top(first, kept)


def has_groups(layer: Layer, m: int) -> bool:
    """Tell whether m divides the number of inputs of a layer, so that its weights form groups of m."""
    return len(layer.shape) > 1 and layer.shape[layer.input_axis] % m == 0


def keep_in_layer(scores: torch.Tensor, layer: Layer, keep: Sequence[int], distribution: Distribution) -> torch.Tensor:
    """Return the mask [R, n] of one layer that keeps the keep[r] largest scores [R, n] of each row.

    With N:M it keeps the N largest of each group instead, if the layer has groups.
    """
    numbers = ratio(distribution)
    if numbers is None or not has_groups(layer, numbers[1]):
        return keep_top(scores, keep)
    n, m = numbers
    scores = scores.nan_to_num(nan=torch.finfo(scores.dtype).min, posinf=torch.inf, neginf=-torch.inf)
    axis = layer.input_axis + 1
    groups = scores.unflatten(1, layer.shape).movedim(axis, -1).unflatten(-1, (-1, m))
    order = groups.argsort(dim=-1, descending=True, stable=True)  # a tie keeps the lower index
    mask = torch.zeros_like(groups, dtype=torch.bool).scatter_(-1, order[..., :n], True)
    return mask.flatten(-2).movedim(-1, axis).flatten(1)


def layer_counts(layers: Sequence[Layer], keep: int, distribution: Distribution) -> list[int]:
    """Return the number of weights to keep in each layer, with the sum `keep` and no layer above its size.

    uniform: the same density everywhere. erk (Evci et al., ICML 2020): density proportional to
    sum(shape) / product(shape). balanced (Gadhikar et al., ICML 2023): the same number of weights in every layer. A
    layer whose density would pass 1 is kept whole, and the other layers share the remaining weights. Matrices that are
    stacked in one tensor, as those of queries, keys and values, count as layers of their own.
    """
    if distribution == "uniform":
        weight = [1.0 for _ in layers]
    elif distribution == "erk":
        shapes = [(layer.shape[0] // layer.stack, *layer.shape[1:]) for layer in layers]
        weight = [sum(shape) / math.prod(shape) for shape in shapes]
    elif distribution == "balanced":
        weight = [layer.stack / layer.size for layer in layers]
    else:
        raise ValueError(f"there is no distribution {distribution!r}")
    whole: set[int] = set()
    while True:
        free = [i for i in range(len(layers)) if i not in whole]
        left = keep - sum(layers[i].size for i in whole)
        share = left / sum(weight[i] * layers[i].size for i in free) if free else 0.0
        over = {i for i in free if share * weight[i] > 1}
        if not over:
            break
        whole |= over
    exact = [layer.size if i in whole else share * weight[i] * layer.size for i, layer in enumerate(layers)]
    counts = [int(count + 1e-9) for count in exact]
    # The largest remainders are rounded up, so that the sum is exact.
    by_remainder = sorted(range(len(layers)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: keep - sum(counts)]:
        counts[i] += 1
    return counts
