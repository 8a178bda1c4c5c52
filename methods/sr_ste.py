"""Masked weights with dense copies that train by the straight-through estimator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from methods.core.base import differs
from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.masks import Distribution, keep_top_per_layer
from methods.core.network import Network
from methods.core.option_types import Range
from methods.core.probe import Probe
from methods.core.ranks import mean_over_ranks
from methods.core.registry import register


@register("sr-ste", knob="density")
@dataclass
class StraightThrough(Masked):
    """Train theta in w = mask * theta, where the mask keeps the largest |theta| anew after each step.

    theta moves by the gradient of w, as if it were its own, plus `refine` * theta where the mask is zero, which keeps
    pruned weights from coming and going. Zhou et al., "Learning N:M Fine-Grained Structured Sparse Neural Networks From
    Scratch", ICLR 2021: theirs is `distribution=2:4` and others N:M, with refine = 2e-4; refine = 0 is the plain
    straight-through estimator. By default weights compete over the whole network, as in the other magnitude methods.
    Weight decay acts on all theta, as in their code.
    """

    family: ClassVar[str] = "during training"
    paper: ClassVar[str] = "Zhou et al., ICLR 2021"
    state_names: ClassVar[tuple[str, ...]] = ("theta",)

    refine: Annotated[float, Range("[0, 1e6]")] = 2e-4
    distribution: Distribution = "global"

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.theta = net.weights.clone()
        self.project()

    def project(self) -> None:
        """Keep the largest theta in the network; unlike `prune_to`, any weight may come back."""
        scores, densities = mean_over_ranks(self.theta.abs()), self.value.flatten().tolist()
        self.mask = keep_top_per_layer(scores, self.net.layers, densities, self.distribution)
        self.net.weights.copy_(self.theta).masked_fill_(~self.mask, 0)

    def update(self, lr: torch.Tensor) -> None:
        assert self.mask is not None
        grad = self.net.grad.add_(self.theta, alpha=self.weight_decay)
        grad.add_(self.theta.masked_fill(self.mask, 0), alpha=self.refine)
        self.optimizer.step(self.theta, grad, self.state, lr)
        self.project()

    def take_up(self) -> None:
        assert self.mask is not None
        written = differs(self.theta.masked_fill(~self.mask, 0), self.net.weights)
        self.theta.copy_(torch.where(written, self.net.weights, self.theta))
        self.project()
