"""Pruning in the course of training: gradually, or in turns with dense training."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from methods.base import Masked, Probe
from methods.masks import Distribution
from methods.network import Network
from methods.registry import MethodError, register


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


@register("acdc", knob="density")
@dataclass
class AlternatingCompressedDecompressed(Masked):
    """Train in turns with a mask, the largest weights at its start, and without one; end with a mask.

    Peste, Iofinova, Vladu & Alistarh, "AC/DC", NeurIPS 2021. After a dense share `warmup` of the budget, masked and
    dense turns of `period` alternate, and the last share `final` is masked, after a dense turn. Weights that come back
    start from zero without momentum. The shares are those of the paper's ImageNet schedule: 10, 5 and 15 of 100 epochs.
    """

    warmup: float = 0.1
    period: float = 0.05
    final: float = 0.15
    distribution: Distribution = "global"

    def __post_init__(self) -> None:
        if self.warmup < 0 or min(self.period, self.final) <= 0 or self.warmup + self.final > 1:
            raise MethodError(
                "acdc's warmup, period and final are shares of the budget with warmup + final <= 1, "
                f"not {self.warmup:g}, {self.period:g} and {self.final:g}"
            )

    def prepare(self, net: Network, probe: Probe) -> None:
        super().prepare(net, probe)
        self.steps, self.step_count = len(probe.learning_rates), 0

    def masked_at(self, share: float) -> bool:
        """Whether a mask holds from a share of the budget on."""
        turn = math.floor((share - self.warmup) / self.period + 1e-9)
        dense_after = self.warmup + (turn + 2) * self.period <= 1 - self.final + 1e-9
        return share >= 1 - self.final or (turn >= 0 and turn % 2 == 0 and dense_after)

    def update(self, lr: torch.Tensor) -> None:
        masked = self.masked_at(self.step_count / self.steps)
        if masked and self.dropped is None:
            self.restrict(self.net.weights.abs(), self.distribution)
        elif not masked:
            self.dropped = None
        super().update(lr)
        self.step_count += 1

    def finish(self) -> None:
        self.restrict(self.net.weights.abs(), self.distribution)
