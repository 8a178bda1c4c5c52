"""Pruning at initialization by connection sensitivity."""

from __future__ import annotations

from dataclasses import dataclass

from methods.base import Masked, Probe
from methods.network import Network
from methods.registry import MethodError, register


@register("snip", knob="density")
@dataclass
class Snip(Masked):
    """Keep the weights whose removal would change the loss most, scored once at initialization: |g * w|.

    Lee, Ajanthan & Torr, ICLR 2019. The gradient g is a mean over `batches` training batches; the paper takes one.
    """

    batches: int = 1

    def __post_init__(self) -> None:
        if self.batches < 1:
            raise MethodError(f"snip needs at least 1 batch, not {self.batches}")

    def prepare(self, net: Network, probe: Probe) -> None:
        super().prepare(net, probe)
        self.restrict((probe.gradient(self.batches) * net.weights).abs())
