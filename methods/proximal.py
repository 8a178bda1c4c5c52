"""Proximal penalties: after each step the weights are shrunk as the penalty asks, down to exact zeros."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import torch

from methods.base import EPSILON, Method, Probe
from methods.network import Network
from methods.registry import register


@dataclass
class Proximal(Method):
    """w <- prox(w - step, kappa) with kappa = lambda * lr * gain, what a step moves a weight by in the end.

    The knob is lambda, the weight of the penalty beside the mean loss. As in dwf |w| < 1.19e-7 becomes zero in the end.
    """

    threshold = EPSILON

    def prepare(self, net: Network, probe: Probe) -> None:
        super().prepare(net, probe)
        self.penalty = self.value.to(net.weights)

    def update(self, lr: torch.Tensor) -> None:
        assert self.penalty is not None
        self.rule.step(self.net.weights, self.net.grad, self.state, lr)
        self.net.weights.copy_(self.shrink(self.net.weights, self.penalty * lr * self.rule.gain))

    def shrink(self, weights: torch.Tensor, kappa: torch.Tensor) -> torch.Tensor:
        """argmin over x of (x - w)^2 / 2 + kappa penalty(x), for every weight."""
        raise NotImplementedError


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


@register("prox-lq", knob="penalty")
@dataclass
class ProximalLq(Proximal):
    """lambda sum |w|^q by its exact proximal operator: at q = 2/3 and 1/2 the penalties of dwf at depths 3 and 4.

    Is dwf's gain the penalty, or the dynamics of its factors? The operators are closed forms: zero up to a threshold,
    beyond it the outer root of x - w + kappa q x^(q - 1) = 0. q = 1/2: Xu, Chang, Xu & Zhang, IEEE TNNLS 2012; q = 2/3:
    Cao, Sun & Xu, 2013.
    """

    q: Literal["1/2", "2/3"] = field(default="2/3", metadata={"shown": True})

    def shrink(self, weights: torch.Tensor, kappa: torch.Tensor) -> torch.Tensor:
        magnitude = weights.abs()
        kappa = kappa.clamp(min=1e-20)  # what is smaller moves no weight, and its powers leave float32's range
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
