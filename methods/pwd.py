"""The penalty |w|^p for any p in (0, 2), by one multiplication after each step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from methods.core.lazy import torch
from methods.core.option_types import Range
from methods.core.registry import register
from methods.proximal import Proximal


@register("pwd", knob="penalty")
@dataclass
class NormWeightDecay(Proximal):
    """Penalize lambda sum |w|^p by p-norm weight decay, w <- step(w) / (1 + p kappa |w|^(p - 2)).

    Outmezguine & Levi, "Decoupled Weight Decay for Any p Norm", 2024, arXiv 2404.10824. |w| is the weight before the
    step, and kappa = lambda * lr * lr_gain. Near a fixed point this is the proximal step of `prox-lq`, for any p; the
    authors' code has p = 0.8. Their paper writes the penalty as (lambda / p) sum |w|^p; lambda here is that of their
    code and of the other penalty methods. They step with Adam, this method with the task's optimizer, whose momentum
    is in kappa. At the end |w| < 1.19e-7 becomes zero; they use 1e-13. A weight that is exactly zero stays zero, so a
    layer that starts at zero learns only at a penalty of zero.
    """

    paper: ClassVar[str] = "Outmezguine & Levi, 2024, arXiv 2404.10824"

    p: Annotated[float, Range("(0, 2)")] = field(default=0.8, metadata={"shown": True})

    @property
    def exponent(self) -> float:
        return self.p

    @property
    def zeros_stay(self) -> bool:
        return bool((self.value > 0).any())

    def update(self, lr: torch.Tensor) -> None:
        assert self.penalty is not None
        pull = self.p * self.penalty * lr * self.optimizer.lr_gain
        power = self.net.weights.abs().pow_(2 - self.p)
        self.optimizer.step(self.net.weights, self.net.grad, self.state, lr)
        self.net.weights.mul_(torch.where(pull > 0, power / (power + pull), 1.0))  # 0 / 0 at a zero pull
