"""The scores of weights by their magnitude, over the whole network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from methods.core.lazy import torch
from methods.core.network import Layer

Score = Literal["magnitude", "lamp"]


def magnitude_scores(weights: torch.Tensor, layers: Sequence[Layer], score: Score) -> torch.Tensor:
    """Return the scores [R, N] of weights [R, N].

    magnitude: |w|. lamp: w^2 / sum of v^2 over the weights v of the layer that are at least as large, so that the
    largest weight of each layer has the score 1 and no layer is emptied (Lee, Park, Mo, Ahn & Shin, ICLR 2021).
    Matrices that are stacked in one tensor, as those of queries, keys and values, count as layers of their own. The
    later one of two equal magnitudes has the larger score.
    """
    if score == "magnitude":
        return weights.abs()
    parts = [part for layer in layers for part in weights[:, layer.span].chunk(layer.stack, 1)]
    return torch.cat([_lamp(part.square()) for part in parts], 1)


def _lamp(squares: torch.Tensor) -> torch.Tensor:
    """Return the LAMP scores [R, n] of one layer's squared weights; zero weights have the score 0."""
    rising, places = squares.sort(dim=1, stable=True)
    at_least = rising.flip(1).cumsum(1).flip(1)
    scores = rising / at_least.clamp(min=torch.finfo(squares.dtype).tiny)
    return torch.empty_like(squares).scatter_(1, places, scores)
