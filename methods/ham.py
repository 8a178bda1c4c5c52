"""Hyperbolic aware minimization: a multiplicative step after each step of a masking method."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.option_types import Range
from methods.core.registry import MethodError, register
from methods.core.wrapper import Wrapper
from methods.powerprop import Powerpropagation
from methods.sr_ste import StraightThrough


@register("ham", knob="density")
@dataclass
class HyperbolicAwareMinimization(Wrapper):
    """Train as `mask` does, and multiply the weights by exp(-lr (alpha sign(w) g + beta)) after each of its steps.

    Jacobs et al., "HAM", ICLR 2026. The factor is what a product of two factors adds to a step, without the factors. g
    is the gradient at the weights before the step. alpha = 200 is published, for ResNet-50 on ImageNet; gradients of
    small networks are larger, and they diverge with it: 10 is ours. The published code also limits the exponent to 5.
    The factor lengthens steps, so a learning rate that suits `mask` may be too large.
    """

    mask: str = field(default="magnitude", metadata={"shown": True})
    alpha: Annotated[float, Range("[0, 1e6]")] = 10.0
    beta: Annotated[float, Range("[0, 1e6]")] = 1e-3

    family: ClassVar[str] = "during training"
    paper: ClassVar[str] = "Jacobs et al., ICLR 2026"

    def __post_init__(self) -> None:
        super().__post_init__()
        copies = isinstance(self.inner, Powerpropagation | StraightThrough)
        wrong = not isinstance(self.inner, Masked) or copies or self.inner.inner
        if wrong:
            raise MethodError(f"the mask of ham is a method that masks the weights themselves, not {self.mask}")

    def update(self, lr: torch.Tensor) -> None:
        grad, weights = self.net.grad.clone(), self.net.weights
        self.inner.update(lr)
        exponent = grad.mul_(weights.sign()).mul_(self.alpha).add_(self.beta).mul_(-lr)
        weights.mul_(
            exponent.masked_fill_(weights == 0, 0).exp_()
        )  # a zero stays zero even if its gradient is not finite
