"""Rigging the lottery: drop small weights and grow weights with large gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from methods.core.lazy import torch
from methods.core.registry import register
from methods.dynamic import Rewired


@register("rigl", knob="density")
@dataclass
class RigL(Rewired):
    """Drop the smallest weights and grow those with the largest dense gradient.

    Evci et al., "Rigging the Lottery", ICML 2020. The share of dropped weights falls as a cosine from `drop_fraction`
    to zero. New weights start from zero; a weight that is dropped and grown in one update keeps its value.
    """

    paper: ClassVar[str] = "Evci et al., ICML 2020"

    def share(self, progress: float) -> float:
        return self.drop_fraction / 2 * (1 + math.cos(math.pi * progress))

    def growth(self) -> torch.Tensor:
        return self.net.grad.abs()
