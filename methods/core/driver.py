"""One training step, the phases and the end of a method: everything between two backward passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from methods.core.base import Method
from methods.core.lazy import torch
from methods.core.network import Layer, Network
from methods.core.optimizers import Optimizer
from methods.core.probe import Probe
from methods.core.registry import MethodError

Rate: TypeAlias = (
    "float | Sequence[float] | torch.Tensor"  # one learning rate, one for each layer, or for each run [R, 1]
)


def phase_edges(phases: Sequence[float], budget: float) -> list[int]:
    """Return the first step of each phase and, last, the number of all steps; phases are shares of the budget."""
    return [round(budget * sum(phases[:i])) for i in range(len(phases) + 1)]


def shared_phases(method: Method, values: Sequence[float]) -> tuple[float, ...]:
    """Return the phases of runs that train together; raise MethodError if their values ask for different ones."""
    phases = {method.phases_at(value) for value in values}
    if len(phases) > 1:
        shown = ", ".join(f"{value:g}" for value in values)
        raise MethodError(f"runs of {method} at {method.knob} {shown} take different budgets: train them one by one")
    return phases.pop()


class Driver:
    """Trains R networks with one method; the caller computes the gradients.

    The method moves the prunable weights and the optimizer moves all other parameters. The caller chooses when a phase
    starts between two steps: before the next forward pass, or right after the last step.
    """

    def __init__(
        self,
        net: Network,
        method: Method,
        values: list[float],
        optimizer: Optimizer,
        weight_decay: float,
        probe: Probe,
        budget: float,
    ):
        """Bind the method to the networks; `budget` is the number of steps of phases with a sum of one."""
        self.net, self.method, self.optimizer = net, method, optimizer
        self.steps_done = self.phases_started = 0
        self._lr, self._other_lr = _Rates(net.weights, net.layers), _Rates(net.other_params, net.other_layers)
        self._phase_starts = phase_edges(shared_phases(method, values), budget)[:-1]
        net.other_state = optimizer.state(net.other_params)
        method.bind(net, values, optimizer, weight_decay, probe)
        method.state_dict()  # raises now if a checkpoint could not hold the method's state

    def start_phases(self) -> None:
        """Start the phases that begin with the next step; a phase too short for a step starts with its successor."""
        while self.phases_started < len(self._phase_starts):
            if self._phase_starts[self.phases_started] > self.steps_done:
                return
            self._start_phase()

    def step(self, lr: Rate, other_lr: Rate) -> None:
        """Move the weights at learning rate `lr` and the other parameters at `other_lr`, from the net's gradients."""
        net = self.net
        self.method.update(self._lr.tensor(lr))
        self.optimizer.step(net.other_params, net.other_grad, net.other_state, self._other_lr.tensor(other_lr))
        self.steps_done += 1

    def start_late_phases(self) -> None:
        """Start the phases that have not started when training ends: those without steps, or not reached."""
        while self.phases_started < len(self._phase_starts):
            self._start_phase()

    def finish(self) -> None:
        """Leave exact zeros in the weights, after the last step."""
        self.start_late_phases()
        self.method.finish()

    def _start_phase(self) -> None:
        self.phases_started += 1
        self.method.on_phase_start(self.phases_started - 1)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of training except the networks' parameters and buffers."""
        return {
            "method": self.method.state_dict(),
            "other_state": self.net.other_state,
            "steps_done": self.steps_done,
            "phases_started": self.phases_started,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from a state, in place; the caller restores the networks' parameters and buffers."""
        self.method.load_state_dict(state["method"])
        for name, saved in state["other_state"].items():
            self.net.other_state.setdefault(name, torch.empty_like(self.net.other_params)).copy_(saved)
        self.steps_done, self.phases_started = state["steps_done"], state["phases_started"]


class _Rates:
    """Learning rates as tensors, which are kept from step to step."""

    def __init__(self, flat: torch.Tensor, layers: Sequence[Layer]):
        self._flat, self._layers = flat, layers
        self._one, self._each = flat.new_zeros(()), flat.new_zeros(0)

    def tensor(self, lr: Rate) -> torch.Tensor:
        """Return one learning rate [], those of runs [R, 1], or those of layers, spread over their entries [N]."""
        if isinstance(lr, torch.Tensor):
            return lr.to(self._flat)
        if not isinstance(lr, Sequence):
            return self._one.fill_(lr)
        if self._each.shape != self._flat.shape[1:]:
            self._each = self._flat.new_zeros(self._flat.shape[1:])
        for layer, rate in zip(self._layers, lr, strict=True):
            self._each[layer.span] = rate
        return self._each
