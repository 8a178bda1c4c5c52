"""Pruning at initialization by synaptic flow, without data."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.masks import Distribution
from methods.core.network import Network
from methods.core.probe import Probe
from methods.core.registry import MethodError, register


@register("synflow", knob="density")
@dataclass
class SynFlow(Masked):
    """Keep the weights that carry most of the flow R = sum of outputs at an input of ones, with |w| for w: |dR/dw * w|.

    Tanaka, Kunin, Yamins & Ganguli, NeurIPS 2020. The density falls to d^(k / n) in iteration k of n = `iterations`,
    scored anew each time, in float64 because scores of deep networks overflow. Flow is conserved: with no biases every
    layer's scores have the same sum. Batch norm is in evaluation mode, as it stands at initialization.
    """

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
    """Scores [N] in float64 of one run's weights as they stand."""
    device = "cpu" if net.weights.device.type == "mps" else net.weights.device  # which has no float64
    model = copy.deepcopy(net.plain(run)).to(device).double().eval()
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.abs_()
    weights = [model.get_parameter(layer.name) for layer in net.layers]
    ones = torch.ones(1, *shape, dtype=torch.float64, device=device)
    gradients = torch.autograd.grad(model(ones).sum(), weights)
    return torch.cat([(w.detach() * g).flatten() for w, g in zip(weights, gradients, strict=True)])
