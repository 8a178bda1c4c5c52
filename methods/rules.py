"""Optimizer rules for any tensor: the state and one step, in place on kept buffers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import torch

State: TypeAlias = "dict[str, torch.Tensor]"


class Rule(Protocol):
    """How a tensor moves along its gradient."""

    @property
    def gain(self) -> float:
        """Distance that one step's gradient moves a tensor in the end, in units of the learning rate."""

    def state(self, tensor: torch.Tensor) -> State:
        """A fresh state for a tensor."""

    def step(self, tensor: torch.Tensor, grad: torch.Tensor, state: State, lr: float) -> None:
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

    def step(self, tensor: torch.Tensor, grad: torch.Tensor, state: State, lr: float) -> None:
        if self.momentum:
            velocity = state["momentum"]
            torch.add(grad, velocity, alpha=self.momentum, out=velocity)
            grad = grad.add_(velocity, alpha=self.momentum) if self.nesterov else velocity
        tensor.add_(grad, alpha=-lr)
