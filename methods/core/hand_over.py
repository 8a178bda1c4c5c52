"""The base of methods that train as another does and then under a mask that stays."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

from methods.core.base import Method
from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.network import Network
from methods.core.optimizers import Optimizer
from methods.core.probe import Probe
from methods.core.wrapper import Wrapper


class HandOver(Wrapper):
    """A method that trains as the inner one does and, in its last phase, without it under the mask of `fixed`."""

    state_names: ClassVar[tuple[str, ...]] = ("penalty",)
    derived_names: ClassVar[tuple[str, ...]] = ("fixed", "last_phase")

    def setup(self, net: Network, probe: Probe) -> None:
        steps, phases = probe.learning_rates.shape[1], self.phases_at(float(self.value[0]))
        self.last_phase = len(phases) - 1
        before = copy.copy(probe)  # the budget of the inner method ends before the last phase
        before.learning_rates = probe.learning_rates[:, : round(steps * (1 - phases[-1] / sum(phases)))]
        super().setup(net, before)
        self.fixed = Masked()
        self.fixed.bind(net, [1.0] * net.runs, self.optimizer, self.weight_decay, probe)

    def on_phase_start(self, phase: int) -> None:
        if phase < self.last_phase:
            super().on_phase_start(phase)
        else:
            self.penalty = None  # the last phase has no penalty
            self.hand_over()

    def hand_over(self) -> None:
        """Give the weights to `fixed`, by a mask."""
        raise NotImplementedError

    @property
    def _present(self) -> Method:
        """The method of the present training."""
        return self.inner if self.fixed.mask is None else self.fixed

    def update(self, lr: torch.Tensor) -> None:
        self._present.update(lr)

    def use(self, optimizer: Optimizer, weight_decay: float) -> None:
        super().use(optimizer, weight_decay)
        self.fixed.use(optimizer, weight_decay)

    def take_up(self) -> None:
        self._present.take_up()

    def finish(self) -> None:
        """Leave the weights as they are: the mask keeps the pruned ones at zero."""

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"fixed": self.fixed.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.fixed.load_state_dict(state["fixed"])
        super().load_state_dict({name: value for name, value in state.items() if name != "fixed"})
