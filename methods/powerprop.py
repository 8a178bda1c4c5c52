"""Powerpropagation: a reparametrization by which large weights grow faster, with magnitude pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from methods.core.base import differs
from methods.core.lazy import torch
from methods.core.network import Network
from methods.core.option_types import Range
from methods.core.probe import Probe
from methods.core.registry import register
from methods.magnitude import Magnitude


@register("powerprop", knob="density")
@dataclass
class Powerpropagation(Magnitude):
    """Train theta in w = theta |theta|^(alpha - 1), whose gradient is alpha |theta|^(alpha - 1) times that of w.

    Schwarz et al., NeurIPS 2021. Pruning is that of `magnitude`; |theta| and |w| have the same order. alpha = 1 is
    `magnitude`. theta starts at the value that gives the network's initial w. Weight decay acts on theta; at alpha = 2,
    where theta^2 = |w|, it is an L1 penalty on w, as in dwf[depth=2].
    """

    paper: ClassVar[str] = "Schwarz et al., NeurIPS 2021"

    state_names: ClassVar[tuple[str, ...]] = ("theta",)

    alpha: Annotated[float, Range("[1, 100]")] = 2.0

    @property
    def zeros_stay(self) -> bool:
        return self.alpha > 1

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.theta = net.weights.sign() * net.weights.abs().pow(1 / self.alpha)

    def apply_mask(self, mask: torch.Tensor) -> None:
        super().apply_mask(mask)
        self.theta.masked_fill_(~mask, 0)

    def take_up(self) -> None:
        super().take_up()
        weights = self.net.weights
        written = differs(self.theta * self.theta.abs().pow(self.alpha - 1), weights)
        self.theta.copy_(torch.where(written, weights.sign() * weights.abs().pow(1 / self.alpha), self.theta))

    def update(self, lr: torch.Tensor) -> None:
        grad, scale = self.net.grad, self.theta.abs().pow(self.alpha - 1)
        grad.mul_(scale).mul_(self.alpha).add_(self.theta, alpha=self.weight_decay)
        if self.mask is not None:
            grad.masked_fill_(~self.mask, 0)
        self.optimizer.step(self.theta, grad, self.state, lr)
        torch.mul(self.theta, self.theta.abs().pow_(self.alpha - 1), out=self.net.weights)
