"""Pruning at initialization that preserves gradient flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from methods.core.masked import Masked
from methods.core.masks import Distribution, check_scores
from methods.core.network import Network
from methods.core.option_types import Range
from methods.core.probe import Probe
from methods.core.registry import register


@register("grasp", knob="density")
@dataclass
class Grasp(Masked):
    """Keep, at initialization, the weights whose removal would reduce the gradient's norm most: largest w * (H g).

    Wang, Zhang & Grosse, ICLR 2020: the score -w * (H g) is a first-order estimate of how much ||g||^2 grows when w is
    removed, and the largest are removed. H g is taken over `per_class` examples of each class with logits divided by
    `temperature`. The authors' code redraws the last layer before it scores; the paper and this code do not.
    """

    family: ClassVar[str] = "before training"
    paper: ClassVar[str] = "Wang, Zhang & Grosse, ICLR 2020"
    needs_classes: ClassVar[bool] = True

    per_class: Annotated[int, Range("[1, 1000000]")] = 25
    temperature: Annotated[float, Range("[0.001, 1e6]")] = 200.0
    distribution: Distribution = "global"

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        scores = net.weights * probe.hessian_gradient(self.per_class, self.temperature)
        check_scores("grasp", scores)
        self.prune_to(scores, self.distribution)
