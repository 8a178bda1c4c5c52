"""Pruning at initialization by synaptic flow, without data."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar

from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.masks import Distribution
from methods.core.network import Network
from methods.core.probe import Probe
from methods.core.registry import MethodError, register


@register("synflow", knob="density")
@dataclass
class SynFlow(Masked):
    """Keep the weights with the largest synaptic flow |dR/dw * w|.

    R is the sum of the outputs for an input of ones, in the network whose weights are |w|.
    Tanaka, Kunin, Yamins & Ganguli, NeurIPS 2020. The density falls to d^(k / n) in iteration k of n = `iterations`,
    with new scores each time. They are float64, because those of deep networks overflow in float32. Without biases the
    scores of every layer have the same sum. Batch norm is in evaluation mode, with its statistics at initialization.
    """

    family: ClassVar[str] = "before training"
    paper: ClassVar[str] = "Tanaka, Kunin, Yamins & Ganguli, NeurIPS 2020"

    iterations: int = 100
    distribution: Distribution = "global"

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise MethodError(f"synflow needs at least 1 iteration, not {self.iterations}")

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        shape = probe.shape
        for k in range(1, self.iterations + 1):
            scores = torch.stack([flow(net, run, shape) for run in range(net.runs)])
            self.prune_to(scores, self.distribution, self.value ** (k / self.iterations))


def flow(net: Network, run: int, shape: tuple[int, ...]) -> torch.Tensor:
    """Return float64 scores [N] of one run's present weights."""
    device = "cpu" if net.weights.device.type == "mps" else net.weights.device  # MPS has no float64
    model = copy.deepcopy(net.plain(run)).to(device).double().eval()
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.abs_()
    weights = [model.get_parameter(layer.name) for layer in net.layers]
    ones = torch.ones(1, *shape, dtype=torch.float64, device=device)
    gradients = torch.autograd.grad(model(ones).sum(), weights)
    return torch.cat([(w.detach() * g).flatten() for w, g in zip(weights, gradients, strict=True)])
