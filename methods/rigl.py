"""RigL: drop small weights, grow those with large gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass

from methods.core.lazy import torch
from methods.core.registry import register
from methods.dynamic import Rewired


@register("rigl", knob="density")
@dataclass
class RigL(Rewired):
    """Drop the smallest weights and grow those with the largest dense gradient.

    The share falls as a cosine from `drop_fraction` to zero.
    Evci et al., "Rigging the Lottery", ICML 2020. The dense gradient decides at updates alone. New weights start from
    zero; what is dropped and grown in one update stays as it was.
    """

    def share(self, progress: float) -> float:
        return self.drop_fraction / 2 * (1 + math.cos(math.pi * progress))

    def growth(self) -> torch.Tensor:
        return self.net.grad.abs()
