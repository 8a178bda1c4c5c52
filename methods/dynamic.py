"""The base of dynamic sparse training, in which a mask of fixed size drops and grows weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from methods.core.intervals import INTERVAL, steps_between
from methods.core.lazy import torch
from methods.core.masks import Distribution, keep_in_layer, keep_top
from methods.core.network import Network
from methods.core.option_types import ShareFrom0To1, ShareTo1, ratio
from methods.core.probe import Probe
from methods.core.ranks import mean_over_ranks
from methods.random import Random


@dataclass
class Rewired(Random):
    """Start from a random mask; from time to time each layer drops its smallest weights and grows others.

    This takes the place of an optimizer step. It happens each time after the share `interval` of the budget, so as
    often in short runs as in long ones, and ends at the share `update_end`. Grown weights start without momentum.
    """

    drop_fraction: ShareTo1 = 0.3
    interval: ShareTo1 = INTERVAL
    update_end: ShareFrom0To1 = 0.75
    distribution: Distribution = "erk"

    family: ClassVar[str] = "dynamic"
    state_names: ClassVar[tuple[str, ...]] = ("kept", "seeds", "step_count")
    derived_names: ClassVar[tuple[str, ...]] = ("last", "every")
    renamed: ClassVar[dict[str, str]] = {"drop": "drop_fraction", "stop": "update_end"}
    version: ClassVar[int] = 2  # version 1 rewired every 100 steps

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        assert self.mask is not None
        self.kept = [[int(count) for count in self.mask[:, layer.span].sum(1)] for layer in net.layers]
        self.seeds = [int(torch.randint(2**40, (), generator=generator)) for generator in probe.generators()]
        self.last, self.step_count = self.update_end * probe.learning_rates.shape[1], 0
        self.every = steps_between(self.interval, probe)

    def update(self, lr: torch.Tensor) -> None:
        self.step_count += 1
        if self.step_count % self.every or self.step_count >= self.last:
            super().update(lr)
        else:
            self.rewire(self.share(self.step_count / self.last), self.growth())

    def share(self, progress: float) -> float:
        """Return the share of each layer's kept weights to drop, at a progress in [0, 1] towards `update_end`."""
        return self.drop_fraction

    def growth(self) -> torch.Tensor:
        """Return scores [R, N]; the weights with the largest scores grow."""
        raise NotImplementedError

    def rewire(self, share: float, growth: torch.Tensor) -> None:
        """Drop a share of each layer's kept weights, and grow as many by their growth scores."""
        assert self.mask is not None
        mask, growth = torch.empty_like(self.mask), mean_over_ranks(growth)
        for layer, kept in zip(self.net.layers, self.kept, strict=True):
            replaced = [int(share * count) for count in kept]
            magnitudes = self.net.weights[:, layer.span].abs().masked_fill(~self.mask[:, layer.span], -torch.inf)
            stays = keep_top(magnitudes, [count - few for count, few in zip(kept, replaced, strict=True)])
            scores = growth[:, layer.span].masked_fill(stays, torch.inf)
            if ratio(self.distribution):  # in a group without a gradient, what is dropped grows again and is not zero
                scores = scores.clamp(min=torch.finfo(scores.dtype).tiny).where(self.mask[:, layer.span], scores)
            mask[:, layer.span] = keep_in_layer(scores, layer, kept, self.distribution)
        self.apply_mask(mask)
