"""AC/DC: alternate between training with a mask and dense training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.masks import Distribution
from methods.core.network import Network
from methods.core.option_types import Range, ShareFrom0, ShareTo1
from methods.core.probe import Probe
from methods.core.registry import MethodError, register


@register("acdc", knob="density")
@dataclass
class AlternatingCompressedDecompressed(Masked):
    """Alternate between training under a mask and dense training, and end under a mask.

    Peste, Iofinova, Vladu & Alistarh, "AC/DC", NeurIPS 2021. After a dense share `warmup` of the budget, masked and
    dense turns of `period` alternate; the last share `final` is masked and follows a dense turn. Each mask keeps the
    weights that are largest at its start. Pruned weights start the next dense turn from zero without momentum. The
    shares are those of the paper's ImageNet schedule: 10, 5 and 15 of 100 epochs.
    """

    family: ClassVar[str] = "during training"
    paper: ClassVar[str] = "Peste, Iofinova, Vladu & Alistarh, NeurIPS 2021"
    state_names: ClassVar[tuple[str, ...]] = ("step_count",)
    derived_names: ClassVar[tuple[str, ...]] = ("steps",)

    warmup: ShareFrom0 = 0.1
    period: Annotated[float, Range("[0.0001, 1]")] = 0.05
    final: ShareTo1 = 0.15
    distribution: Distribution = "global"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.warmup + self.final > 1:
            raise MethodError(
                "the warmup and final of acdc are shares of the budget with warmup + final <= 1, "
                f"not {self.warmup:g} and {self.final:g}"
            )

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.steps, self.step_count = probe.learning_rates.shape[1], 0

    def masked_at(self, share: float) -> bool:
        """Return whether training is masked at a share of the budget."""
        turn = math.floor((share - self.warmup) / self.period + 1e-9)
        dense_after = self.warmup + (turn + 2) * self.period <= 1 - self.final + 1e-9
        return share >= 1 - self.final or (turn >= 0 and turn % 2 == 0 and dense_after)

    def update(self, lr: torch.Tensor) -> None:
        masked = self.masked_at(self.step_count / self.steps)
        if masked and self.mask is None:
            self.prune_to(self.net.weights.abs(), self.distribution)
        elif not masked:
            self.mask = None
        super().update(lr)
        self.step_count += 1

    def finish(self) -> None:
        self.prune_to(self.net.weights.abs(), self.distribution)
