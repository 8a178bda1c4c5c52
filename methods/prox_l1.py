"""The L1 penalty by soft thresholding after each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from methods.core.lazy import torch
from methods.core.registry import register
from methods.proximal import Proximal


@register("prox-l1", knob="penalty")
@dataclass
class ProximalL1(Proximal):
    """Penalize lambda sum |w| by soft thresholding, sign(w) max(|w| - kappa, 0).

    This is the penalty of dwf[depth=2] without factors. Daubechies, Defrise & De Mol, 2004; Beck & Teboulle, 2009. The
    noise of batches moves many weights with optimum zero slightly away from it, up to the last step: thresholds.csv has
    the number of small weights.
    """

    paper: ClassVar[str] = "Daubechies, Defrise & De Mol, 2004; Beck & Teboulle, 2009"

    version: ClassVar[int] = 2  # version 1 counted every weight that was not exactly zero

    @property
    def exponent(self) -> float:
        return 1.0

    def shrink(self, weights: torch.Tensor, kappa: torch.Tensor) -> torch.Tensor:
        return weights.sign() * (weights.abs() - kappa).clamp(min=0)
