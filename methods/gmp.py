"""Gradual magnitude pruning: prune a little every few steps."""

from __future__ import annotations

from dataclasses import dataclass

from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.masks import Distribution
from methods.core.network import Network
from methods.core.probe import Probe
from methods.core.registry import MethodError, register


@register("gmp", knob="density")
@dataclass
class GradualMagnitude(Masked):
    """Prune a little every few steps, by magnitude: density d + (1 - d) (1 - p)^3 at a share p of the pruning time.

    Zhu & Gupta, "To Prune, or Not to Prune", 2017. Pruning goes on from the share `after` of the budget to the share
    `until`, every `every` steps; what is dropped stays dropped. The paper prunes every layer alike,
    `distribution=uniform`; by default weights compete over the whole network, as in the other magnitude methods.
    """

    after: float = 0.2
    until: float = 0.8
    every: int = 100
    distribution: Distribution = "global"

    def __post_init__(self) -> None:
        if not 0 <= self.after < self.until <= 1:
            raise MethodError(f"gmp prunes from a share to a later one in [0, 1], not {self.after:g} to {self.until:g}")
        if self.every < 1:
            raise MethodError(f"gmp prunes every whole number >= 1 of steps, not {self.every}")

    def prepare(self, net: Network, probe: Probe) -> None:
        super().prepare(net, probe)
        steps = len(probe.learning_rates)
        self.first, self.last, self.step_count = round(self.after * steps), round(self.until * steps), 0

    def update(self, lr: torch.Tensor) -> None:
        super().update(lr)
        self.step_count += 1
        since = self.step_count - self.first
        if self.step_count == self.last or (since >= 0 and since % self.every == 0 and self.step_count < self.last):
            self.prune(since / max(self.last - self.first, 1))

    def prune(self, share: float) -> None:
        density = self.value + (1 - self.value) * (1 - share) ** 3
        self.restrict(self.net.weights.abs(), self.distribution, density)

    def finish(self) -> None:
        self.prune(1.0)  # nothing more to drop, unless the budget was too short for a single step
