"""The base of methods that prune by a mask."""

from __future__ import annotations

from typing import ClassVar

from methods.core.base import Method
from methods.core.lazy import torch
from methods.core.masks import Distribution, keep_top_per_layer
from methods.core.network import Network
from methods.core.probe import Probe
from methods.core.ranks import mean_over_ranks


class Masked(Method):
    """A method that keeps its pruned weights at exactly zero; all weights are trained until `prune_to` is called."""

    state_names: ClassVar[tuple[str, ...]] = ("mask",)
    knob = "density"
    mask: torch.Tensor | None = None  # [R, N] bool: True where a weight is kept; None while nothing is pruned

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.mask = None

    def prune_to(
        self, scores: torch.Tensor, distribution: Distribution = "global", density: torch.Tensor | None = None
    ) -> None:
        """Keep the round(density * N) weights with the largest scores and prune the others.

        The default density is the run's value; `density` [R, 1] replaces it, for instance on a pruning schedule. A
        weight that is pruned already stays pruned. Ranks of torch.distributed prune alike, by the mean of their scores.
        """
        scores = mean_over_ranks(scores)
        if self.mask is not None:
            scores = scores.masked_fill(~self.mask.to(scores.device), -torch.inf)
        densities = (self.value if density is None else density).flatten().tolist()
        mask = keep_top_per_layer(scores, self.net.layers, densities, distribution)
        self.apply_mask(mask.to(self.net.weights.device))  # float64 scores may lie on another device

    def apply_mask(self, mask: torch.Tensor) -> None:
        """Set the weights outside the mask [R, N] and their momentum to zero, and keep them there."""
        self.mask, pruned = mask, ~mask
        self.net.weights.masked_fill_(pruned, 0)
        for tensor in self.state.values():
            if tensor.shape == mask.shape:
                tensor.masked_fill_(pruned, 0)

    def update(self, lr: torch.Tensor) -> None:
        # Filling, not multiplying: NaN * 0 is NaN. A zero weight without gradient and momentum stays zero.
        if self.mask is not None:
            self.net.grad.masked_fill_(~self.mask, 0)
        super().update(lr)

    def take_up(self) -> None:
        if self.mask is not None:
            self.net.weights.masked_fill_(~self.mask, 0)
