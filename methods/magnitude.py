"""One-shot magnitude pruning during or after training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from methods.core.masked import Masked
from methods.core.masks import Distribution
from methods.core.option_types import ShareFrom0
from methods.core.registry import register
from methods.core.scores import Score, magnitude_scores


@register("magnitude", knob="density")
@dataclass
class Magnitude(Masked):
    """Train dense, keep the weights of largest |w| over the whole network, and train on under the mask.

    `finetune` is the share of the budget that follows the pruning. It has its own learning-rate schedule from the full
    rate, which fine-tunes better than a small rate (Renda, Frankle & Carbin, ICLR 2020). `finetune=0` prunes after the
    last step, as the comparison of the DWF paper does (Kolb et al., ICLR 2025). `score=lamp` ranks by the share of a
    weight in the squares of its layer's larger ones (Lee et al., ICLR 2021).
    """

    family: ClassVar[str] = "during training"
    paper: ClassVar[str] = "Renda, Frankle & Carbin, ICLR 2020"

    finetune: ShareFrom0 = 0.5
    distribution: Distribution = "global"
    score: Score = "magnitude"

    @property
    def cuts_at_end(self) -> bool:
        return not self.finetune

    @property
    def phases(self) -> tuple[float, ...]:
        return (1 - self.finetune, self.finetune) if self.finetune else (1.0,)

    @property
    def batch_norm_version(self) -> int:
        return 1 if self.finetune else 2  # see Method

    def on_phase_start(self, phase: int) -> None:
        if phase == 1:
            self.prune_to(magnitude_scores(self.net.weights, self.net.layers, self.score), self.distribution)

    def finish(self) -> None:
        if not self.finetune:
            self.prune_to(magnitude_scores(self.net.weights, self.net.layers, self.score), self.distribution)
