"""Dynamic sparse training: a mask of fixed size whose weights are dropped and grown during training."""

from __future__ import annotations

from dataclasses import dataclass

from methods.core.lazy import torch
from methods.core.masks import Distribution, keep_top
from methods.core.network import Network
from methods.core.probe import Probe
from methods.core.registry import MethodError
from methods.random import Random


@dataclass
class Rewired(Random):
    """A random mask; every `every` steps, in place of a step, each layer drops its smallest weights and grows others.

    It ends at the share `stop` of the budget. Grown weights have no momentum.
    """

    drop: float = 0.3
    every: int = 100
    stop: float = 0.75
    distribution: Distribution = "erk"

    def __post_init__(self) -> None:
        if not 0 < self.drop <= 1:
            raise MethodError(f"{self.name} drops a share in (0, 1] of a layer's weights, not {self.drop:g}")
        if self.every < 1:
            raise MethodError(f"{self.name} rewires every whole number >= 1 of steps, not {self.every}")
        if not 0 <= self.stop <= 1:
            raise MethodError(f"{self.name} stops at a share of the budget in [0, 1], not {self.stop:g}")

    def prepare(self, net: Network, probe: Probe) -> None:
        super().prepare(net, probe)
        assert self.dropped is not None
        self.kept = [[int(count) for count in (~self.dropped[:, layer.span]).sum(1)] for layer in net.layers]
        self.seeds = [int(torch.randint(2**40, (), generator=generator)) for generator in probe.generators()]
        self.last, self.step_count = self.stop * len(probe.learning_rates), 0

    def update(self, lr: torch.Tensor) -> None:
        self.step_count += 1
        if self.step_count % self.every or self.step_count >= self.last:
            super().update(lr)
        else:
            self.rewire(self.share(self.step_count / self.last), self.growth())

    def share(self, progress: float) -> float:
        """The share of each layer's weights that is dropped, at a share of the time in which layers are rewired."""
        return self.drop

    def growth(self) -> torch.Tensor:
        """Scores [R, N] of the weights that may grow; the largest do."""
        raise NotImplementedError

    def rewire(self, share: float, growth: torch.Tensor) -> None:
        dropped = self.dropped
        assert dropped is not None
        after = torch.empty_like(dropped)
        for layer, kept in zip(self.net.layers, self.kept, strict=True):
            replaced = [int(share * count) for count in kept]
            magnitudes = self.net.weights[:, layer.span].abs().masked_fill(dropped[:, layer.span], -torch.inf)
            stays = keep_top(magnitudes, [count - few for count, few in zip(kept, replaced, strict=True)])
            grows = keep_top(growth[:, layer.span].masked_fill(stays, -torch.inf), replaced)
            after[:, layer.span] = ~(stays | grows)
        self.hold(after)
