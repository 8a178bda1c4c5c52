"""Pruning at initialization by connection sensitivity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from methods.core.masked import Masked
from methods.core.masks import Distribution, check_scores
from methods.core.network import Network
from methods.core.option_types import Range
from methods.core.probe import Probe
from methods.core.registry import register


@register("snip", knob="density")
@dataclass
class Snip(Masked):
    """Keep the weights whose removal would change the loss most, by the score |g * w| at initialization.

    Lee, Ajanthan & Torr, ICLR 2019. The gradient g is a mean over `batches` training batches; the paper takes one.
    With `iterations` = n the density falls to d^(k / n) in iteration k, and g is the gradient of the pruned network, on
    batches that no earlier iteration saw, until all are used (de Jorge et al., "Progressive Skeletonization", ICLR
    2021). Batch norm and dropout are in evaluation mode, with the statistics of the initialization, as in the code of
    Lee et al.; `mode=training` scores with the statistics of each batch, as the code of de Jorge et al. does.
    """

    family: ClassVar[str] = "before training"
    paper: ClassVar[str] = "Lee, Ajanthan & Torr, ICLR 2019; iterated: de Jorge et al., ICLR 2021"

    batches: Annotated[int, Range("[1, 10000]")] = 1
    iterations: Annotated[int, Range("[1, 10000]")] = 1
    mode: Literal["evaluation", "training"] = "evaluation"
    distribution: Distribution = "global"

    @property
    def version(self) -> int:  # type: ignore[override]
        return 1 if self.iterations == 1 else 2  # in version 1 all iterations saw the same batches

    @property
    def batch_norm_version(self) -> int:
        return 2  # in version 1 batch norm was in training mode

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        for k in range(1, self.iterations + 1):
            first = (k - 1) * self.batches
            gradient = probe.gradient(self.batches, first, training=self.mode == "training")
            scores = (gradient * net.weights).abs()
            if k == 1:  # later ones may be zero, where a small density cuts all paths
                check_scores("snip", scores)
            self.prune_to(scores, self.distribution, self.value ** (k / self.iterations))
