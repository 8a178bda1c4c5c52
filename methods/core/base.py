"""A method: an update rule on a Network's weights."""

from __future__ import annotations

from dataclasses import Field
from typing import Any, ClassVar

from methods.core.lazy import torch
from methods.core.network import Network
from methods.core.optimizers import Optimizer
from methods.core.probe import Probe
from methods.core.registry import check_value, write

EPSILON = 1.19e-7  # float32's, the DWF paper's zero


class Method:
    """An update rule. A subclass is a dataclass of its options; a method changes `net.weights` and nothing else."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]  # its options
    name: ClassVar[str]
    knob: str  # what a sweep turns
    renamed: ClassVar[dict[str, str]] = {}  # old names of options, by which they are still read, and today's
    version: ClassVar[int] = 1  # raised when a change makes the method compute something else
    threshold: float = 0.0  # magnitudes below it count as zero while training and are zeros at the end

    net: Network
    value: torch.Tensor  # [R, 1], float64 on the CPU: the knob of each run
    optimizer: Optimizer
    weight_decay: float
    inner: Method | None = None  # the method that this one goes around, where it does
    penalty: torch.Tensor | None = None  # [R, 1]: lambda, for methods that have one

    def __str__(self) -> str:
        return write(self)

    @property
    def phases(self) -> tuple[float, ...]:
        """Shares of the budget; each phase has a learning-rate schedule of its own."""
        return (1.0,)

    def bind(self, net: Network, values: list[float], optimizer: Optimizer, weight_decay: float, probe: Probe) -> None:
        """Bind the method to the networks it trains and prepare it."""
        for value in values:
            check_value(self, value)
        self.net, self.optimizer, self.weight_decay = net, optimizer, weight_decay
        self.value = torch.tensor(values, dtype=torch.float64).unsqueeze(1)
        self.setup(net, probe)

    def setup(self, net: Network, probe: Probe) -> None:
        """Before step 0: score, mask, factorize."""
        self.state = self.optimizer.state(net.weights)

    def on_phase_start(self, phase: int) -> None:
        """At the start of each phase: prune, rewind."""

    def update(self, lr: torch.Tensor) -> None:
        """One step from `net.grad`, which may be overwritten. Here: the optimizer's own, with coupled weight decay."""
        if self.weight_decay:
            self.net.grad.add_(self.net.weights, alpha=self.weight_decay)
        self.optimizer.step(self.net.weights, self.net.grad, self.state, lr)

    def finish(self) -> None:
        """After the last step: leave exact zeros in `net.weights`."""
        if self.threshold:
            self.net.weights.masked_fill_(self.net.weights.abs() < self.threshold, 0)

    def diagnose(self) -> dict[str, torch.Tensor]:
        """What is worth a curve, by metric: a number [R] for each run, on the device, taken once an epoch."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Tensors, numbers and strings that a run in progress goes on from, beside the model's own state."""
        return {name: value for name, value in vars(self).items() if _is_state(value)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state; tensors are written in place, so that parts of the network stay parts of it."""
        for name, value in state.items():
            setattr(self, name, _restored(getattr(self, name), value, self.net.weights))


def _is_state(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_state, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_state, value))
    return value is None or isinstance(value, torch.Tensor | int | float | str)


def _restored(current: Any, saved: Any, weights: torch.Tensor) -> Any:
    if isinstance(saved, torch.Tensor):
        if isinstance(current, torch.Tensor) and current.shape == saved.shape:
            return current.copy_(saved)
        # What was not there yet: one number a weight lives with the weights, wherever the state was loaded to.
        return saved.to(weights.device, copy=True) if saved.shape == weights.shape else saved.clone()
    if isinstance(saved, dict) and isinstance(current, dict):
        return {name: _restored(current.get(name), value, weights) for name, value in saved.items()}
    if isinstance(saved, list | tuple) and isinstance(current, list | tuple):
        return type(saved)(_restored(now, then, weights) for now, then in zip(current, saved, strict=True))
    return saved
