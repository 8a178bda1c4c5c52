"""The base of methods that train with another method inside."""

from __future__ import annotations

from typing import Any

from methods.core.base import Method
from methods.core.lazy import torch
from methods.core.network import Network
from methods.core.optimizers import Optimizer
from methods.core.probe import Probe
from methods.core.registry import parse


class Wrapper(Method):
    """A method that hands everything on to an inner method; subclasses override what they do differently.

    A subclass declares the option `mask`, the written form of the inner method.
    """

    mask: str
    inner: Method

    def __post_init__(self) -> None:
        super().__post_init__()
        self.inner = parse(self.mask)
        self.mask = str(self.inner)

    @property
    def phases(self) -> tuple[float, ...]:
        return self.inner.phases

    def phases_at(self, value: float) -> tuple[float, ...]:
        return self.inner.phases_at(value)

    @property
    def exponent(self) -> float | None:
        return self.inner.exponent

    @property
    def zeros_stay(self) -> bool:
        return self.inner.zeros_stay

    def setup(self, net: Network, probe: Probe) -> None:
        self.inner.bind(net, self.inner_values(), self.optimizer, self.weight_decay, probe)
        self.penalty = self.inner.penalty

    def inner_values(self) -> list[float]:
        """Return the value of the inner method's knob for each run."""
        return [float(value) for value in self.value]

    def on_phase_start(self, phase: int) -> None:
        self.inner.on_phase_start(phase)

    def update(self, lr: torch.Tensor) -> None:
        self.inner.update(lr)

    def use(self, optimizer: Optimizer, weight_decay: float) -> None:
        super().use(optimizer, weight_decay)
        self.inner.use(optimizer, weight_decay)

    def take_up(self) -> None:
        self.inner.take_up()

    def finish(self) -> None:
        self.inner.finish()

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"inner": self.inner.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.inner.load_state_dict(state["inner"])
        super().load_state_dict({name: value for name, value in state.items() if name != "inner"})
