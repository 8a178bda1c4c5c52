"""Iterative magnitude pruning, which repeats training, pruning and rewinding; each round costs a whole budget."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.masks import Distribution
from methods.core.network import Network
from methods.core.option_types import Range, ShareFrom0
from methods.core.probe import Probe
from methods.core.registry import MethodError, register
from methods.core.scores import Score, magnitude_scores

MOST_ROUNDS = 100


@register("imp", knob="density")
@dataclass
class IterativeMagnitude(Masked):
    """Train, then repeat: keep the largest |w|, rewind and train again.

    Each round prunes the share `share` of the weights that are left, 20 % as in the papers, until the last one reaches
    the density. This takes log d / log(1 - share) rounds, 21 at a density of 0.01, and a run takes a budget for each
    round and one before them, as its row says; more than 100 rounds are refused. `rounds` gives their number instead;
    then the density after round k is d^(k / rounds).
    rewind: `weights` resets the kept weights to their values after a share `point` of the first training and restarts
    the learning-rate schedule (Frankle et al., ICML 2020; `point=0` is the lottery ticket of Frankle & Carbin, ICLR
    2019). `rate` restarts only the learning-rate schedule (Renda, Frankle & Carbin, ICLR 2020). `none` has one
    learning-rate schedule over all rounds. `score=lamp` ranks by the share of a weight in the squares of its layer's
    larger ones (Lee et al., ICLR 2021).
    """

    family: ClassVar[str] = "during training"
    paper: ClassVar[str] = "Frankle et al., ICML 2020; Frankle & Carbin, ICLR 2019"
    state_names: ClassVar[tuple[str, ...]] = ("step_count", "saved")
    derived_names: ClassVar[tuple[str, ...]] = ("round_steps", "last_round")

    rounds: Annotated[int, Range(f"[0, {MOST_ROUNDS}]")] = 0
    share: Annotated[float, Range("[0.001, 1)")] = field(default=0.2, metadata={"needs": ("rounds", 0)})
    rewind: Literal["weights", "rate", "none"] = "weights"
    point: ShareFrom0 = field(default=0.05, metadata={"needs": ("rewind", "weights")})
    distribution: Distribution = "global"
    score: Score = "magnitude"

    @property
    def version(self) -> int:  # type: ignore[override]
        return 1 if self.rounds else 2  # version 1 had five rounds at every density

    @property
    def phases(self) -> tuple[float, ...]:
        return self.phases_at(1.0)

    def phases_at(self, value: float) -> tuple[float, ...]:
        budgets = self.rounds_at(value) + 1
        return (float(budgets),) if self.rewind == "none" else (1.0,) * budgets

    def rounds_at(self, density: float) -> int:
        """Return the number of rounds; raise MethodError if they are more than 100."""
        rounds = self.rounds or max(0, math.ceil(math.log(density) / math.log(1 - self.share) - 1e-9))
        if rounds > MOST_ROUNDS:
            raise MethodError(
                f"{self} takes {rounds} rounds of a whole training to density {density:g}, more than {MOST_ROUNDS}; "
                "give a larger share, or the number of rounds"
            )
        return rounds

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.last_round = self.rounds_at(float(self.value[0]))
        self.round_steps, self.step_count = probe.learning_rates.shape[1] / (self.last_round + 1), 0
        self.saved = net.weights.clone(), net.other_params.clone()

    def update(self, lr: torch.Tensor) -> None:
        if self.step_count == min(round(self.point * self.round_steps), math.ceil(self.round_steps) - 1):
            self.saved = self.net.weights.clone(), self.net.other_params.clone()
        for k in range(1, self.last_round + 1) if self.rewind == "none" else ():
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
        self.prune(self.last_round)  # prunes only if training ended early

    def prune(self, k: int) -> None:
        """Prune to the density after round k."""
        if self.rounds:
            density = self.value ** (k / self.rounds)
        else:
            density = self.value if k == self.last_round else torch.full_like(self.value, (1 - self.share) ** k)
        self.prune_to(magnitude_scores(self.net.weights, self.net.layers, self.score), self.distribution, density)
