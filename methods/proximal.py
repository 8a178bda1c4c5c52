"""The base of proximal methods, whose penalty acts by its proximal operator after each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from methods.core.base import EPSILON, Method
from methods.core.lazy import torch
from methods.core.network import Network
from methods.core.probe import Probe


@dataclass
class Proximal(Method):
    """Step by w <- prox(w - step, kappa) with kappa = lambda * lr * lr_gain.

    The knob is lambda, the factor of the penalty in the objective. At the end |w| < 1.19e-7 becomes zero, as in dwf.
    """

    family: ClassVar[str] = "penalty"
    threshold: ClassVar[float] = EPSILON

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.penalty = self.value.to(net.weights)

    def update(self, lr: torch.Tensor) -> None:
        assert self.penalty is not None
        self.optimizer.step(self.net.weights, self.net.grad, self.state, lr)
        self.net.weights.copy_(self.shrink(self.net.weights, self.penalty * lr * self.optimizer.lr_gain))

    def shrink(self, weights: torch.Tensor, kappa: torch.Tensor) -> torch.Tensor:
        """Return argmin over x of (x - w)^2 / 2 + kappa penalty(x), for every weight."""
        raise NotImplementedError
