"""Random pruning at initialization, the baseline of every score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.masks import Distribution
from methods.core.network import Network
from methods.core.probe import Probe
from methods.core.registry import register


@register("random", knob="density")
@dataclass
class Random(Masked):
    """Keep random weights, drawn before training over the whole network or with a share for each layer.

    distribution: `global` ranks one uniform draw over all weights; `uniform` keeps the same density in every layer;
    `erk` keeps density_l proportional to sum(shape_l) / product(shape_l) (Evci et al., ICML 2020); `balanced` keeps
    the same number of weights in every layer (Gadhikar, Mukherjee & Burkholz, ICML 2023). `2:4` keeps 2 of every 4
    weights along the input of a layer, and so any N:M; the density is then N / M.
    """

    distribution: Distribution = "global"

    family: ClassVar[str] = "before training"
    paper: ClassVar[str] = "Evci et al., ICML 2020; Gadhikar, Mukherjee & Burkholz, ICML 2023"

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        draws = [torch.rand(net.weights.shape[1], generator=generator) for generator in probe.generators()]
        self.prune_to(torch.stack(draws).to(net.weights.device), self.distribution)
