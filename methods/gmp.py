"""Gradual magnitude pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from methods.core.intervals import INTERVAL, steps_between
from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.masks import Distribution
from methods.core.network import Network
from methods.core.option_types import ShareFrom0, ShareTo1
from methods.core.probe import Probe
from methods.core.registry import MethodError, register
from methods.core.scores import Score, magnitude_scores


@register("gmp", knob="density")
@dataclass
class GradualMagnitude(Masked):
    """Prune by magnitude in many small steps, to density d + (1 - d) (1 - p)^3 at a share p of the pruning time.

    Zhu & Gupta, "To Prune, or Not to Prune", 2017. From the share `update_start` of the budget to the share
    `update_end` it prunes each time after the share `interval`, so as often in short runs as in long ones; the paper
    prunes every 100 to 1000 steps. A pruned weight stays pruned. The paper prunes every layer alike,
    `distribution=uniform`; by default weights compete over the whole network, as in the other magnitude methods.
    `score=lamp` ranks by the share of a weight in the squares of its layer's larger ones (Lee et al., ICLR 2021).
    """

    update_start: ShareFrom0 = 0.2
    update_end: ShareTo1 = 0.8
    interval: ShareTo1 = INTERVAL
    distribution: Distribution = "global"
    score: Score = "magnitude"

    family: ClassVar[str] = "during training"
    paper: ClassVar[str] = "Zhu & Gupta, 2017"
    state_names: ClassVar[tuple[str, ...]] = ("step_count",)
    derived_names: ClassVar[tuple[str, ...]] = ("first", "last", "every")
    renamed: ClassVar[dict[str, str]] = {"after": "update_start", "until": "update_end"}
    version: ClassVar[int] = 2  # version 1 pruned every 100 steps

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.update_start < self.update_end:
            raise MethodError(
                f"the update_start and update_end of gmp are shares of the budget with start < end, "
                f"not {self.update_start:g} and {self.update_end:g}"
            )

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        steps = probe.learning_rates.shape[1]
        self.first, self.last, self.step_count = round(self.update_start * steps), round(self.update_end * steps), 0
        self.every = steps_between(self.interval, probe)

    def update(self, lr: torch.Tensor) -> None:
        super().update(lr)
        self.step_count += 1
        since = self.step_count - self.first
        if self.step_count == self.last or (since >= 0 and since % self.every == 0 and self.step_count < self.last):
            self.prune(since / max(self.last - self.first, 1))

    def prune(self, share: float) -> None:
        """Prune to the density at a share of the pruning time."""
        density = self.value + (1 - self.value) * (1 - share) ** 3
        self.prune_to(magnitude_scores(self.net.weights, self.net.layers, self.score), self.distribution, density)

    def finish(self) -> None:
        self.prune(1.0)  # prunes only if the budget was too short for a pruning step
