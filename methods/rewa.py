"""ReWA: equal factors y in w = y^K, with weight decay and a step that is scaled by a smaller power of y."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from methods.core.base import EPSILON, Method, differs
from methods.core.lazy import torch
from methods.core.network import Network
from methods.core.option_types import Range
from methods.core.probe import Probe
from methods.core.registry import MethodError, register


@register("rewa", knob="penalty")
@dataclass
class ReparametrizedAdaptive(Method):
    """Train y in w = sign(y) |y|^k with the gradient |y|^m g + decay y, where g is the gradient of w.

    Xu et al., "Theoretical Analysis of Sparse Optimization with Reparameterization, Weight Decay, and Adaptive
    Learning Rate", ICML 2026. The chain rule has k |y|^(k - 1) in place of |y|^m, so that weights near zero stop; with
    m < 1 they pass zero, and with a larger m they slow down less. At a fixed point g = -decay sign(w) |w|^((1 - m) / k)
    as under the penalty lambda sum |w|^p with p = 1 + (1 - m) / k and decay = lambda p. The knob is lambda, as for
    `prox-lq` and `pwd`; the authors give the decay. Theirs are k = 9 and m = 2 on CIFAR-10, so p = 8/9.

    Their code also has a factor u / (u + eps) with u = k |y|^(k - 1), for data on which eps = 0 learns too slowly; it
    is left out. They reparametrize biases and norms, too, and with Adam they decouple the decay and take m = 0; here
    the decay is part of the gradient. At the end |w| < 1.19e-7 becomes zero; they cut at many thresholds. With m > 0 a
    weight that is exactly zero stays zero.
    """

    family: ClassVar[str] = "factorization"
    paper: ClassVar[str] = "Xu et al., ICML 2026, arXiv 2605.25134"
    threshold: ClassVar[float] = EPSILON
    state_names: ClassVar[tuple[str, ...]] = ("y",)

    k: Annotated[float, Range("[1, 100]")] = field(default=9.0, metadata={"shown": True})
    m: Annotated[float, Range("[0, 99]")] = field(default=2.0, metadata={"shown": True})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.m > self.k - 1:
            raise MethodError(f"the m of rewa is a number in [0, k - 1] = [0, {self.k - 1:g}], not {self.m:g}")

    @property
    def exponent(self) -> float:
        return 1 + (1 - self.m) / self.k

    @property
    def zeros_stay(self) -> bool:
        return self.m > 0

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.penalty = self.value.to(net.weights)
        self.y = self._root(net.weights)

    def _root(self, weights: torch.Tensor) -> torch.Tensor:
        return weights.sign() * weights.abs().pow(1 / self.k)

    def _power(self) -> torch.Tensor:
        return self.y * self.y.abs().pow(self.k - 1)

    def take_up(self) -> None:
        written = differs(self._power(), self.net.weights)
        self.y.copy_(torch.where(written, self._root(self.net.weights), self.y))

    def update(self, lr: torch.Tensor) -> None:
        assert self.penalty is not None
        grad = self.net.grad.mul_(self.y.abs().pow(self.m)).add_(self.exponent * self.penalty * self.y)
        self.optimizer.step(self.y, grad, self.state, lr)
        self.net.weights.copy_(self._power())
