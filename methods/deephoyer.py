"""The Hoyer-Square penalty, with magnitude pruning and fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from methods.core.lazy import torch
from methods.core.option_types import Range
from methods.core.registry import register
from methods.magnitude import Magnitude


@register("deephoyer", knob="density")
@dataclass
class DeepHoyer(Magnitude):
    """Train on L(w) + lambda sum over layers of (sum |w|)^2 / sum w^2, then prune by magnitude and train on.

    Yang, Wen & Li, "DeepHoyer", ICLR 2020. The penalty of a layer is between 1 and its number of weights, whatever
    their scale; its slope is 2 sign(w) (A / B)(1 - |w| A / B) with A = sum |w| and B = sum w^2, so that weights below
    B / A shrink and larger ones grow. `penalty_weight` is lambda. The paper prunes each layer below a share of its
    standard deviation and trains with Adam; here the density decides, over the whole network by default, and the task's
    optimizer trains. Fine-tuning is without the penalty, as in the paper. Its penalty of groups is left out.
    """

    family: ClassVar[str] = "penalty"
    paper: ClassVar[str] = "Yang, Wen & Li, ICLR 2020"

    penalty_weight: Annotated[float, Range("[0, 1e6]")] = 1e-4

    def update(self, lr: torch.Tensor) -> None:
        if self.mask is None:
            for layer in self.net.layers:
                self.net.grad[:, layer.span].add_(slope(self.net.weights[:, layer.span]), alpha=self.penalty_weight)
        super().update(lr)


def slope(weights: torch.Tensor) -> torch.Tensor:
    """Return the derivative of (sum |w|)^2 / sum w^2 for each row of weights [R, n]; a row of zeros has none."""
    ratio = weights.abs().sum(1, keepdim=True) / weights.square().sum(1, keepdim=True)
    ratio = ratio.nan_to_num(0, 0, 0)
    return 2 * ratio * weights.sign() * (1 - weights.abs() * ratio)
