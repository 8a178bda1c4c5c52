"""Optimizer rules for any tensor: the state and one step, in place on kept buffers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from methods.core.lazy import torch

State: TypeAlias = "dict[str, torch.Tensor]"


class Rule(Protocol):
    """How a tensor moves along its gradient. The rate `lr` is a tensor without dimensions, which a compiler likes."""

    @property
    def gain(self) -> float:
        """Distance that one step's gradient moves a tensor in the end, in units of the learning rate."""

    def state(self, tensor: torch.Tensor) -> State:
        """A fresh state for a tensor."""

    def step(self, tensor: torch.Tensor, grad: torch.Tensor, state: State, lr: torch.Tensor) -> None:
        """Move the tensor by one step. L2 decay is coupled: its caller adds it to `grad`, which may be overwritten."""


@dataclass(frozen=True)
class Sgd:
    """v <- momentum v + g; w <- w - lr v (with nesterov: w - lr (g + momentum v)), as torch.optim.SGD steps."""

    momentum: float = 0.9
    nesterov: bool = False

    @property
    def gain(self) -> float:
        return 1 / (1 - self.momentum)

    def state(self, tensor: torch.Tensor) -> State:
        return {"momentum": torch.zeros_like(tensor)} if self.momentum else {}

    def step(self, tensor: torch.Tensor, grad: torch.Tensor, state: State, lr: torch.Tensor) -> None:
        if self.momentum:
            velocity = state["momentum"]
            torch.add(grad, velocity, alpha=self.momentum, out=velocity)
            grad = grad.add_(velocity, alpha=self.momentum) if self.nesterov else velocity
        tensor.addcmul_(grad, lr, value=-1)


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba, ICLR 2015), as torch.optim.Adam steps; what its caller adds to the gradient is coupled L2.

    m <- b1 m + (1 - b1) g; v <- b2 v + (1 - b2) g^2; w <- w - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon).
    Its steps have the size of the rate whatever the gradient's, so `gain` is 1 and a strength means less than with SGD:
    the penalty that it stands for shrinks a weight linearly, not by exp(-2 strength).
    """

    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8

    @property
    def gain(self) -> float:
        return 1.0

    def state(self, tensor: torch.Tensor) -> State:
        mean, square = torch.zeros_like(tensor), torch.zeros_like(tensor)
        return {"mean": mean, "square": square, "step": torch.zeros((), dtype=torch.float64)}

    def step(self, tensor: torch.Tensor, grad: torch.Tensor, state: State, lr: torch.Tensor) -> None:
        b1, b2 = self.betas
        step = state["step"].add_(1)
        state["mean"].lerp_(grad, 1 - b1)
        state["square"].mul_(b2).addcmul_(grad, grad, value=1 - b2)
        # The count stands on the CPU, so that no device waits; `grad` has done its duty and serves as scratch.
        torch.sqrt(state["square"], out=grad).div_((1 - b2**step).sqrt()).add_(self.epsilon)
        torch.div(state["mean"], grad, out=grad).div_(1 - b1**step)
        tensor.addcmul_(grad, lr, value=-1)
