"""Optimizers that step any tensor in place, with their state kept outside of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from methods.core.lazy import torch

State: TypeAlias = "dict[str, torch.Tensor]"


class Optimizer(Protocol):
    """The protocol of an optimizer. The learning rate is a tensor [], which compiles once, or has one number per run
    [R, 1] or per entry [N]."""

    @property
    def lr_gain(self) -> float:
        """The total distance that one gradient moves a tensor, over all later steps, in units of `lr` times it.

        With momentum this is 1 + momentum + momentum^2 + ... = 1 / (1 - momentum), so 10 at momentum 0.9. Methods use
        it to turn a strength into a penalty that acts alike at every momentum.
        """

    def state(self, tensor: torch.Tensor) -> State:
        """Return a fresh state for a tensor."""

    def step(self, tensor: torch.Tensor, grad: torch.Tensor, state: State, lr: torch.Tensor) -> None:
        """Move the tensor by one step; `grad` may be overwritten. The caller adds weight decay to `grad`."""


@dataclass(frozen=True)
class Sgd:
    """v <- momentum v + g; w <- w - lr v (with nesterov: w - lr (g + momentum v)), as torch.optim.SGD steps."""

    momentum: float = 0.9
    nesterov: bool = False

    @property
    def lr_gain(self) -> float:
        return 1 / (1 - self.momentum)

    def state(self, tensor: torch.Tensor) -> State:
        return {"momentum": torch.zeros_like(tensor)} if self.momentum else {}

    def step(self, tensor: torch.Tensor, grad: torch.Tensor, state: State, lr: torch.Tensor) -> None:
        if self.momentum:
            if "momentum" not in state:  # a schedule raised the momentum from zero
                state["momentum"] = torch.zeros_like(tensor)
            velocity = state["momentum"]
            torch.add(grad, velocity, alpha=self.momentum, out=velocity)
            grad = grad.add_(velocity, alpha=self.momentum) if self.nesterov else velocity
        tensor.addcmul_(grad, lr, value=-1)


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba, ICLR 2015), as torch.optim.Adam computes it, with coupled L2.

    m <- b1 m + (1 - b1) g; v <- b2 v + (1 - b2) g^2; w <- w - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon).
    The size of its steps does not depend on the gradient's, so `lr_gain` is 1 and a strength means less than with SGD:
    its penalty shrinks a weight linearly, not by exp(-2 strength).
    """

    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8

    @property
    def lr_gain(self) -> float:
        return 1.0

    def state(self, tensor: torch.Tensor) -> State:
        mean, square = torch.zeros_like(tensor), torch.zeros_like(tensor)
        return {"mean": mean, "square": square, "step": torch.zeros((), dtype=torch.float64)}

    def step(self, tensor: torch.Tensor, grad: torch.Tensor, state: State, lr: torch.Tensor) -> None:
        b1, b2 = self.betas
        step = state["step"].add_(1)
        state["mean"].lerp_(grad, 1 - b1)
        state["square"].mul_(b2).addcmul_(grad, grad, value=1 - b2)
        # The step count lies on the CPU, so no device waits for it; `grad` is free by now and holds the divisor.
        torch.sqrt(state["square"], out=grad).div_((1 - b2**step).sqrt()).add_(self.epsilon)
        torch.div(state["mean"], grad, out=grad).div_(1 - b1**step)
        tensor.addcmul_(grad, lr, value=-1)
