"""Sign-In: two factors under a mask from the start, which let weights change their sign."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from methods.core.base import differs
from methods.core.intervals import INTERVAL, steps_between
from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.network import Network
from methods.core.option_types import Range, ShareTo1
from methods.core.probe import Probe
from methods.core.registry import MethodError, register
from methods.core.wrapper import Wrapper


@register("sign-in", knob="density")
@dataclass
class SignIn(Wrapper):
    """Train w = m v under the mask that `mask` draws before training, and restore m^2 - v^2 = beta from time to time.

    Gadhikar, Jacobs, Zhou & Burkholz, "Sign-In to the Lottery", NeurIPS 2025, arXiv 2504.12801. The factors learn by
    the chain rule, m by g v and v by g m. Their imbalance m^2 - v^2 lets the product pass zero, and shrinks as they
    train; after each share `interval` of the budget m and v are set to the pair with the same product and
    m^2 - v^2 = beta, m > 0, from which they also start. Weight decay acts on both factors. Momentum stays as it is when
    the factors are set. The paper's text was not at hand, so the interval and the treatment of momentum and weight
    decay are ours. Its masks are random, with a share for each layer.
    """

    mask: str = field(default="random[distribution=erk]", metadata={"shown": True})
    beta: Annotated[float, Range("(0, 1e6]")] = 1.0
    interval: ShareTo1 = INTERVAL

    family: ClassVar[str] = "before training"
    paper: ClassVar[str] = "Gadhikar, Jacobs, Zhou & Burkholz, NeurIPS 2025"
    state_names: ClassVar[tuple[str, ...]] = ("factors", "step_count")
    derived_names: ClassVar[tuple[str, ...]] = ("every",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.inner, Masked) or self.inner.family != "before training" or self.inner.inner:
            raise MethodError(f"the mask of sign-in is a method that prunes before training, not {self.mask}")

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.factors = self.balanced()
        self.state = self.optimizer.state(self.factors)
        self.every, self.step_count = steps_between(self.interval, probe), 0

    def balanced(self) -> torch.Tensor:
        """Return the factors m and v [2, R, N] of the weights with m^2 - v^2 = beta and m > 0."""
        weights = self.net.weights
        larger = ((self.beta + (self.beta**2 + 4 * weights.square()).sqrt()) / 2).sqrt()
        return torch.stack([larger, weights / larger])

    def update(self, lr: torch.Tensor) -> None:
        assert isinstance(self.inner, Masked) and self.inner.mask is not None
        grad = (self.net.grad * self.factors.flip(0)).add_(self.factors, alpha=self.weight_decay)
        self.optimizer.step(self.factors, grad.masked_fill_(~self.inner.mask, 0), self.state, lr)
        torch.mul(self.factors[0], self.factors[1], out=self.net.weights)
        self.net.weights.masked_fill_(~self.inner.mask, 0)
        self.step_count += 1
        if self.step_count % self.every == 0:
            self.factors.copy_(self.balanced())

    def take_up(self) -> None:
        super().take_up()
        written = differs(self.factors[0] * self.factors[1], self.net.weights)
        self.factors.copy_(torch.where(written, self.balanced(), self.factors))
