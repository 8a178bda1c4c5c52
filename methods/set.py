"""Sparse evolutionary training: drop small weights and grow random ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from methods.core.lazy import torch
from methods.core.network import Network
from methods.core.probe import Probe
from methods.core.registry import register
from methods.dynamic import Rewired


@register("set", knob="density")
@dataclass
class SparseEvolutionaryTraining(Rewired):
    """Drop the smallest weights and grow random ones, a constant share each time.

    Mocanu et al., Nature Communications 2018. The paper rewires after every epoch; this code rewires as often as
    `rigl`. New weights are random in the paper; here they start from their value at initialization.
    """

    paper: ClassVar[str] = "Mocanu et al., Nature Communications 2018"

    state_names: ClassVar[tuple[str, ...]] = ("initial",)

    def setup(self, net: Network, probe: Probe) -> None:
        self.initial = net.weights.clone()
        super().setup(net, probe)

    def rewire(self, share: float, growth: torch.Tensor) -> None:
        before = self.mask
        super().rewire(share, growth)
        assert before is not None and self.mask is not None
        self.net.weights.copy_(torch.where(self.mask & ~before, self.initial, self.net.weights))

    def growth(self) -> torch.Tensor:
        # One stream for every step, so that a resumed run draws the same numbers.
        streams = [torch.Generator().manual_seed(seed + self.step_count) for seed in self.seeds]
        scores = [torch.rand(self.net.weights.shape[1], generator=stream) for stream in streams]
        return torch.stack(scores).to(self.net.weights.device)
