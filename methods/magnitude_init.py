"""Magnitude pruning at initialization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from methods.core.masked import Masked
from methods.core.masks import Distribution
from methods.core.network import Network
from methods.core.probe import Probe
from methods.core.registry import register


@register("magnitude-init", knob="density")
@dataclass
class MagnitudeInit(Masked):
    """Keep the weights of largest |w| at initialization.

    It prunes layers of small initial scale first. Frankle et al., "Pruning Neural Networks at Initialization: Why Are
    We Missing the Mark?", ICLR 2021.
    """

    family: ClassVar[str] = "before training"
    paper: ClassVar[str] = "Frankle et al., ICLR 2021"

    distribution: Distribution = "global"

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.prune_to(net.weights.abs(), self.distribution)
