"""Hyperbolic aware minimization: a multiplicative step after every step of a method with a mask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from methods.core.base import Method
from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.network import Network
from methods.core.probe import Probe
from methods.core.registry import MethodError, parse, register
from methods.powerprop import Powerpropagation


@register("ham", knob="density")
@dataclass
class HyperbolicAwareMinimization(Method):
    """Train as `mask` does, and multiply the weights by exp(-lr (alpha sign(w) g + beta)) after each of its steps.

    Jacobs et al., "HAM", ICLR 2026: what a product of two factors adds to a step, without the factors. g is the
    gradient at the weights before the step. alpha = 200 is published, for ResNet-50 on ImageNet; gradients of small
    networks are larger, and with it they diverge: 10 is ours. The published code also keeps the exponent within 5.
    """

    mask: str = field(default="magnitude", metadata={"shown": True})
    alpha: float = 10.0
    beta: float = 1e-3

    def __post_init__(self) -> None:
        self.inner: Method = parse(self.mask)
        self.mask = str(self.inner)
        wrong = not isinstance(self.inner, Masked) or isinstance(self.inner, Powerpropagation) or self.inner.inner
        if wrong:
            raise MethodError(f"ham goes on top of a method that masks the weights themselves, not of {self.mask}")

    @property
    def phases(self) -> tuple[float, ...]:
        return self.inner.phases

    def setup(self, net: Network, probe: Probe) -> None:
        self.inner.bind(net, self.value.flatten().tolist(), self.optimizer, self.weight_decay, probe)

    def on_phase_start(self, phase: int) -> None:
        self.inner.on_phase_start(phase)

    def update(self, lr: torch.Tensor) -> None:
        grad, weights = self.net.grad.clone(), self.net.weights
        self.inner.update(lr)
        exponent = grad.mul_(weights.sign()).mul_(self.alpha).add_(self.beta).mul_(-lr)
        weights.mul_(exponent.masked_fill_(weights == 0, 0).exp_())  # a zero stays one, whatever the gradient there

    def finish(self) -> None:
        self.inner.finish()

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"inner": self.inner.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.inner.load_state_dict(state["inner"])
        super().load_state_dict({name: value for name, value in state.items() if name != "inner"})
