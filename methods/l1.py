"""An L1 penalty by its subgradient, with pruning after training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from methods.core.base import EPSILON
from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.masks import Distribution
from methods.core.network import Network
from methods.core.option_types import Range
from methods.core.probe import Probe
from methods.core.registry import register


@register("l1", knob="density")
@dataclass
class VanillaL1(Masked):
    """Train on L0(w) + lambda sum |w| by the subgradient lambda sign(w), and keep the largest |w| after the last step.

    This is the vanilla baseline of the DWF paper (Kolb et al., ICLR 2025). Steps of SGD pass over zero and reach no
    exact zeros, so the method prunes at the end. `penalty_weight` is lambda; its best value differs between densities.
    With `by=penalty` the knob is lambda, which a search can turn: |w| < 1.19e-7 becomes zero at the end, and
    thresholds.csv has the accuracy and density at larger thresholds, all of one training.
    """

    family: ClassVar[str] = "penalty"

    by: Literal["density", "penalty"] = "density"
    penalty_weight: Annotated[float, Range("[0, 1e6]")] = field(default=1e-4, metadata={"needs": ("by", "density")})
    distribution: Distribution = field(default="global", metadata={"needs": ("by", "density")})

    def __post_init__(self) -> None:
        super().__post_init__()
        self.knob = self.by

    @property
    def cuts_at_end(self) -> bool:
        return self.by == "density"

    @property
    def threshold(self) -> float:
        return EPSILON if self.by == "penalty" else 0.0

    @property
    def exponent(self) -> float:
        return 1.0

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        penalty = self.value if self.by == "penalty" else torch.full_like(self.value, self.penalty_weight)
        self.penalty = penalty.to(net.weights)

    @property
    def batch_norm_version(self) -> int:
        return 3  # see Method

    def update(self, lr: torch.Tensor) -> None:
        assert self.penalty is not None
        self.net.grad.addcmul_(self.net.weights.sign(), self.penalty)
        self.optimizer.step(self.net.weights, self.net.grad, self.state, lr)

    def finish(self) -> None:
        if self.by == "penalty":
            return super().finish()
        self.prune_to(self.net.weights.abs(), self.distribution)
