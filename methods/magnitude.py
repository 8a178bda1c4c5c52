"""One-shot magnitude pruning during or after training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from methods.core.registry import register
from methods.core.scores import Score, magnitude_scores
from methods.one_shot import OneShot


@register("magnitude", knob="density")
@dataclass
class Magnitude(OneShot):
    """Train dense, keep the weights of largest |w| over the whole network, and train on under the mask.

    `finetune` is the share of the budget that follows the pruning. It has its own learning-rate schedule from the full
    rate, which fine-tunes better than a small rate (Renda, Frankle & Carbin, ICLR 2020). `finetune=0` prunes after the
    last step, as the comparison of the DWF paper does (Kolb et al., ICLR 2025). `score=lamp` ranks by the share of a
    weight in the squares of its layer's larger ones (Lee et al., ICLR 2021).
    """

    family: ClassVar[str] = "during training"
    paper: ClassVar[str] = "Renda, Frankle & Carbin, ICLR 2020"

    score: Score = "magnitude"

    def prune(self) -> None:
        self.prune_to(magnitude_scores(self.net.weights, self.net.layers, self.score), self.distribution)
