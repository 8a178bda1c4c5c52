"""The running statistics of batch norm, recomputed where weights change after the last training step."""

from __future__ import annotations

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from benchmark.data.batches import Batches
from benchmark.training.evaluation import autocast
from benchmark.training.modes import frozen
from methods.core.network import Network

EXAMPLES = 10_000  # the largest number of training examples that the statistics are computed on


@torch.no_grad()
def recompute_statistics(net: Network, before: torch.Tensor, batches: Batches, precision: str) -> list[bool]:
    """Recompute the running statistics of each run whose weights are no longer `before` [R, N]; return which these are.

    The statistics become means over batches of training data, the same for all runs, as
    torch.optim.swa_utils.update_bn computes them; all other modules, such as dropout, stay in evaluation mode. The
    batches are augmented as in training, since the weights are fitted to that: the statistics of plain images cost a
    ResNet-20 four points.
    """
    norms = [module for module in net.model.modules() if isinstance(module, _BatchNorm)]
    norms = [norm for norm in norms if norm.track_running_stats and norm.running_mean is not None and not frozen(norm)]
    changed = (~net.weights.isclose(before, rtol=1e-5, atol=0, equal_nan=True)).any(
        1
    )  # the rounding of a product is no change
    if not norms or not bool(changed.any()):
        return [False] * net.runs
    kept = [buffer.clone() for buffer in net.buffers()]
    momenta = [norm.momentum for norm in norms]
    net.model.eval()
    for norm in norms:
        norm.train()
    for count, inputs in enumerate(batches.sample(EXAMPLES), 1):
        for norm in norms:
            norm.momentum = 1 / count  # momentum=None, the cumulative mean, reads a counter, which no pack can do
        with autocast(precision, inputs.device):
            net.forward(inputs)
    net.model.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    if net.runs > 1:
        for buffer, value in zip(net.buffers(), kept, strict=True):
            buffer[~changed] = value[~changed]
    return changed.tolist()
