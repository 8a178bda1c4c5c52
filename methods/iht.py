"""Iterative hard thresholding: projections onto the largest weights while all weights train."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from methods.core.intervals import INTERVAL, steps_between
from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.masks import Distribution
from methods.core.network import Network
from methods.core.option_types import ShareFrom0To1, ShareTo1
from methods.core.probe import Probe
from methods.core.registry import register


@register("iht", knob="density")
@dataclass
class IterativeHardThresholding(Masked):
    """Minimize the loss under sum [w != 0] <= d N by w <- H(w - step), where H keeps the d N largest |w|.

    Blumensath & Davies, 2009; for networks Jin, Yuan, Feng & Yan, 2016, arXiv 1607.05423. H acts each time after the
    share `interval` of the budget; in between all weights train by the dense gradient, so that a weight of the support
    can be replaced. After the share `update_end` the support is fixed. Published forms project after every step
    (`interval` near 0) of full gradients without momentum, or alternate long sparse and dense turns, which is `acdc`.
    The steps here are the optimizer's, and a projection empties the momentum of the weights that it sets to zero.
    """

    family: ClassVar[str] = "during training"
    paper: ClassVar[str] = "Blumensath & Davies, 2009; Jin, Yuan, Feng & Yan, 2016"
    state_names: ClassVar[tuple[str, ...]] = ("step_count",)
    derived_names: ClassVar[tuple[str, ...]] = ("last", "every")

    interval: ShareTo1 = INTERVAL
    update_end: ShareFrom0To1 = 0.75
    distribution: Distribution = "global"

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.last, self.step_count = self.update_end * probe.learning_rates.shape[1], 0
        self.every = steps_between(self.interval, probe)

    def update(self, lr: torch.Tensor) -> None:
        super().update(lr)
        self.step_count += 1
        if self.step_count >= self.last and self.mask is None:
            self.project()
        elif self.mask is None and self.step_count % self.every == 0:
            self.project()
            self.mask = None

    def project(self) -> None:
        """Keep the largest weights."""
        self.prune_to(self.net.weights.abs(), self.distribution)

    def finish(self) -> None:
        self.project()  # changes weights only if the support was never fixed
