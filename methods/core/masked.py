"""The base of methods that hold a mask."""

from __future__ import annotations

from methods.core.base import Method
from methods.core.lazy import torch
from methods.core.masks import Distribution, keep_top_per_layer
from methods.core.network import Network
from methods.core.probe import Probe


class Masked(Method):
    """A method that holds some weights at exactly zero; until `restrict` is called, all are free."""

    dropped: torch.Tensor | None = None  # [R, N] bool

    def prepare(self, net: Network, probe: Probe) -> None:
        super().prepare(net, probe)
        self.dropped = None  # a part of the state from the start

    def restrict(
        self, scores: torch.Tensor, distribution: Distribution = "global", density: torch.Tensor | None = None
    ) -> None:
        """Keep round(density x N) weights of the largest scores; the others become zeros without momentum.

        The density is the knob's, or another [R, 1] on the way there. A weight that was dropped before stays so.
        """
        if self.dropped is not None:
            scores = scores.masked_fill(self.dropped.to(scores.device), -torch.inf)
        densities = (self.value if density is None else density).flatten().tolist()
        dropped = ~keep_top_per_layer(scores, self.net.layers, densities, distribution)
        self.hold(dropped.to(self.net.weights.device))  # scores in float64 may be elsewhere

    def hold(self, dropped: torch.Tensor) -> None:
        """Make the dropped weights, [R, N], zeros without momentum, and keep them there."""
        self.dropped = dropped
        self.net.weights.masked_fill_(dropped, 0)
        for tensor in self.state.values():
            if tensor.shape == dropped.shape:
                tensor.masked_fill_(dropped, 0)

    def update(self, lr: torch.Tensor) -> None:
        # Filling, not multiplying: NaN * 0 is NaN. With no gradient and no momentum a zero stays a zero.
        if self.dropped is not None:
            self.net.grad.masked_fill_(self.dropped, 0)
        super().update(lr)
