"""The penalty |w|^q with q < 1, that of deep weight factorization, by its proximal operator."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar, Literal

from methods.core.lazy import torch
from methods.core.registry import register
from methods.proximal import Proximal


@register("prox-lq", knob="penalty")
@dataclass
class ProximalLq(Proximal):
    """Penalize lambda sum |w|^q by its exact proximal operator.

    q = 2/3 and 1/2 are the penalties of dwf at depths 3 and 4, so a comparison separates the effect of dwf's penalty
    from that of its factors. The operators have closed forms: zero up to a threshold, and beyond it the outer root of
    x - w + kappa q x^(q - 1) = 0. q = 1/2: Xu, Chang, Xu & Zhang, IEEE TNNLS 2012; q = 2/3: Cao, Sun & Xu, 2013.
    """

    paper: ClassVar[str] = "Xu, Chang, Xu & Zhang, IEEE TNNLS 2012; Cao, Sun & Xu, 2013"

    q: Literal["1/2", "2/3"] = field(default="2/3", metadata={"shown": True})

    @property
    def exponent(self) -> float:
        return float(Fraction(self.q))

    def shrink(self, weights: torch.Tensor, kappa: torch.Tensor) -> torch.Tensor:
        magnitude = weights.abs()
        kappa = kappa.clamp(min=1e-20)  # a smaller kappa moves no weight, and its powers underflow in float32
        if self.q == "1/2":
            threshold = 1.5 * kappa ** (2 / 3)
            safe = magnitude.clamp(min=threshold)
            angle = torch.acos(kappa / 4 * (safe / 3) ** -1.5)
            root = 2 / 3 * safe * (1 + torch.cos(2 / 3 * (math.pi - angle)))
        else:
            threshold = 2 * (2 * kappa / 3) ** 0.75
            safe = magnitude.clamp(min=threshold)
            cosine = 27 / 16 * safe**2 * (2 * kappa) ** -1.5  # at least 1
            third = (cosine * (1 + (1 - cosine**-2).clamp(min=0).sqrt())).log().div(3).exp()  # exp(arcosh(cosine) / 3)
            a = 2 / math.sqrt(3) * (2 * kappa) ** 0.25 * ((third + 1 / third) / 2).sqrt()  # torch's cosh is slow
            root = ((a + (2 * safe / a - a**2).clamp(min=0).sqrt()) / 2) ** 3
        return torch.where(magnitude > threshold, weights.sign() * root, 0.0)
