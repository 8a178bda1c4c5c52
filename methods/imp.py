"""Iterative magnitude pruning, which repeats training, pruning and rewinding; each round costs a whole budget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.masks import Distribution
from methods.core.network import Network
from methods.core.probe import Probe
from methods.core.registry import MethodError, register


@register("imp", knob="density")
@dataclass
class IterativeMagnitude(Masked):
    """Train, then repeat `rounds` times: keep the largest |w|, rewind and train again.

    The density after round k is d^(k / rounds).
    rewind: `weights` resets the kept weights to their values after a share `point` of the first training and restarts
    the learning-rate schedule (Frankle et al., ICML 2020; `point=0` is the lottery ticket of Frankle & Carbin, ICLR
    2019). `rate` restarts only the learning-rate schedule (Renda, Frankle & Carbin, ICLR 2020). `none` has one
    learning-rate schedule over all rounds. A run takes rounds + 1 times the steps of other methods, as its row says.
    """

    family: ClassVar[str] = "during training"
    paper: ClassVar[str] = "Frankle et al., ICML 2020; Frankle & Carbin, ICLR 2019"
    state_names: ClassVar[tuple[str, ...]] = ("step_count", "saved")
    derived_names: ClassVar[tuple[str, ...]] = ("round_steps",)

    rounds: int = 5
    rewind: Literal["weights", "rate", "none"] = "weights"
    point: float = 0.05
    distribution: Distribution = "global"

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise MethodError(f"imp needs at least 1 round, not {self.rounds}")
        if not 0 <= self.point < 1:
            raise MethodError(f"the point of imp is a share of the first training in [0, 1), not {self.point:g}")

    @property
    def phases(self) -> tuple[float, ...]:
        return (self.rounds + 1.0,) if self.rewind == "none" else (1.0,) * (self.rounds + 1)

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.round_steps, self.step_count = len(probe.learning_rates) / (self.rounds + 1), 0
        self.saved = net.weights.clone(), net.other_params.clone()

    def update(self, lr: torch.Tensor) -> None:
        if self.step_count == min(round(self.point * self.round_steps), math.ceil(self.round_steps) - 1):
            self.saved = self.net.weights.clone(), self.net.other_params.clone()
        for k in range(1, self.rounds + 1) if self.rewind == "none" else ():
            if self.step_count == round(k * self.round_steps):
                self.prune(k)
        super().update(lr)
        self.step_count += 1

    def on_phase_start(self, phase: int) -> None:
        if phase:
            self.prune(phase)
        if phase and self.rewind == "weights":
            assert self.mask is not None
            self.net.weights.copy_(self.saved[0])
            self.net.other_params.copy_(self.saved[1])
            for tensor in (*self.state.values(), *self.net.other_state.values()):
                tensor.zero_()
            self.apply_mask(self.mask)

    def finish(self) -> None:
        self.prune(self.rounds)  # prunes only if training ended early

    def prune(self, k: int) -> None:
        """Prune to the density after round k."""
        self.prune_to(self.net.weights.abs(), self.distribution, self.value ** (k / self.rounds))
