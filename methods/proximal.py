"""The base of proximal methods: after each step the penalty's proximal operator shrinks the weights."""

from __future__ import annotations

from dataclasses import dataclass

from methods.core.base import EPSILON, Method
from methods.core.lazy import torch
from methods.core.network import Network
from methods.core.probe import Probe


@dataclass
class Proximal(Method):
    """w <- prox(w - step, kappa) with kappa = lambda * lr * gain, what a step moves a weight by in the end.

    The knob is lambda, the weight of the penalty beside the mean loss. As in dwf |w| < 1.19e-7 becomes zero in the end.
    """

    threshold = EPSILON

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.penalty = self.value.to(net.weights)

    def update(self, lr: torch.Tensor) -> None:
        assert self.penalty is not None
        self.optimizer.step(self.net.weights, self.net.grad, self.state, lr)
        self.net.weights.copy_(self.shrink(self.net.weights, self.penalty * lr * self.optimizer.lr_gain))

    def shrink(self, weights: torch.Tensor, kappa: torch.Tensor) -> torch.Tensor:
        """argmin over x of (x - w)^2 / 2 + kappa penalty(x), for every weight."""
        raise NotImplementedError
