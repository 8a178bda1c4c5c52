"""Proximal L1: soft thresholding after each step."""

from __future__ import annotations

from dataclasses import dataclass

from methods.core.lazy import torch
from methods.core.registry import register
from methods.proximal import Proximal


@register("prox-l1", knob="penalty")
@dataclass
class ProximalL1(Proximal):
    """lambda sum |w| by soft thresholding, sign(w) max(|w| - kappa, 0): the penalty of dwf[depth=2] without factors.

    Daubechies, Defrise & De Mol, 2004; Beck & Teboulle, 2009. Of weights whose best place is zero the noise of batches
    moves many a little, up to the last step: see cuts.csv for how many of those that are left are so small.
    """

    version = 2  # at 1 every weight that was not exactly zero counted

    def shrink(self, weights: torch.Tensor, kappa: torch.Tensor) -> torch.Tensor:
        return weights.sign() * (weights.abs() - kappa).clamp(min=0)
