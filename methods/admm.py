"""Pruning by the alternating direction method of multipliers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from methods.core.intervals import INTERVAL, steps_between
from methods.core.lazy import torch
from methods.core.masks import keep_top_per_layer
from methods.core.network import Network
from methods.core.option_types import Range, ShareTo1
from methods.core.probe import Probe
from methods.core.ranks import mean_over_ranks
from methods.core.registry import register
from methods.core.scores import magnitude_scores
from methods.magnitude import Magnitude


@register("admm", knob="density")
@dataclass
class AlternatingDirections(Magnitude):
    """Pull the weights towards a sparse copy z, then keep the largest |w| and train on under the mask.

    w minimizes L(w) + rho / 2 |w - z + u|^2 by the optimizer's steps. Each time after the share `interval` of the
    budget, z becomes the density's largest entries of w + u, and u grows by w - z. Zhang et al., "A Systematic DNN
    Weight Pruning Framework Using Alternating Direction Method of Multipliers", ECCV 2018, with a density for each
    layer by hand; here weights compete over the whole network by default. Like the paper, the method then prunes and
    retrains; `finetune` is the share of the budget for that. The paper starts from a trained network, and updates z and
    u every few epochs.
    """

    paper: ClassVar[str] = "Zhang et al., ECCV 2018"
    state_names: ClassVar[tuple[str, ...]] = ("target", "dual", "step_count")
    derived_names: ClassVar[tuple[str, ...]] = ("every",)

    rho: Annotated[float, Range("[0, 1e6]")] = 0.01
    interval: ShareTo1 = INTERVAL

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.dual, self.target = torch.zeros_like(net.weights), torch.zeros_like(net.weights)
        self.every, self.step_count = steps_between(self.interval, probe), 0
        self.split()
        self.dual.zero_()

    @property
    def cuts_at_end(self) -> bool:
        return False  # the density acts throughout

    def split(self) -> None:
        """Move the sparse copy and the multipliers."""
        self.dual.add_(self.net.weights)  # w + u
        densities = self.value.flatten().tolist()
        scores = mean_over_ranks(magnitude_scores(self.dual, self.net.layers, self.score))
        kept = keep_top_per_layer(scores, self.net.layers, densities, self.distribution)
        self.target.copy_(self.dual.masked_fill(~kept, 0))
        self.dual.sub_(self.target)

    def update(self, lr: torch.Tensor) -> None:
        if self.mask is None:
            self.net.grad.add_(self.net.weights - self.target + self.dual, alpha=self.rho)
        super().update(lr)
        self.step_count += 1
        if self.mask is None and self.step_count % self.every == 0:
            self.split()
