"""The optimal brain surgeon: pruning by a quadratic model of the loss, with an update of the weights that stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from methods.core.lazy import torch
from methods.core.network import Network
from methods.core.option_types import Range, ShareFrom0
from methods.core.probe import Probe
from methods.core.ranks import mean_over_ranks
from methods.core.registry import register
from methods.one_shot import OneShot

CHUNK = 64  # gradients that are multiplied at once


@register("obs", knob="density")
@dataclass
class OptimalBrainSurgeon(OneShot):
    """Train dense, prune the weights of least w^2 / (2 [F^-1]_ww), and move the others to where the loss rises least.

    F = damping + mean g g^T is the empirical Fisher matrix, with gradients g of `examples` single training examples and
    zero between blocks of `block` weights that follow one another in a layer; block=1 is the diagonal, which moves
    nothing. Hassibi & Stork, 1992; Singh & Alistarh, "WoodFisher", NeurIPS 2020, which inverts F example by example to
    the same effect. In each block the pruned weights go together, w_kept += F_kept,kept^-1 F_kept,pruned w_pruned;
    WoodFisher adds their single updates. Without fine-tuning; `finetune` is the share of the budget for it. In a
    script, g are gradients of the batches that `probe` returns.
    """

    family: ClassVar[str] = "during training"
    paper: ClassVar[str] = "Hassibi & Stork, 1992; Singh & Alistarh, NeurIPS 2020"
    derived_names: ClassVar[tuple[str, ...]] = ("probe",)

    finetune: ShareFrom0 = 0.0
    block: Annotated[int, Range("[1, 4096]")] = 50
    examples: Annotated[int, Range("[1, 1000000]")] = 400
    damping: Annotated[float, Range("(0, 1e6]")] = 1e-5

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.probe = probe

    def prune(self) -> None:
        net = self.net
        fishers = [self.fisher(run) for run in range(net.runs)]
        inverses = torch.stack([self.joined(torch.linalg.inv(fisher).diagonal(dim1=1, dim2=2)) for fisher in fishers])
        before = net.weights.clone()
        self.prune_to(before.square() / (2 * inverses), self.distribution)
        assert self.mask is not None
        for run, fisher in enumerate(fishers):
            stays = self.blocks(self.mask[run].to(before)).unsqueeze(2)
            lost = self.blocks(before[run]).unsqueeze(2) * (1 - stays)
            alone = torch.eye(self.block).to(before) * (1 - stays)  # pruned weights solve equations of their own
            moves = torch.linalg.solve(fisher * stays * stays.mT + alone, stays * (fisher @ lost))
            net.weights[run] += self.joined(moves.squeeze(2))
        net.weights.copy_(mean_over_ranks(net.weights)).masked_fill_(~self.mask, 0)

    def fisher(self, run: int) -> torch.Tensor:
        """Return the blocks [K, B, B] of the Fisher matrix of one run."""
        total: torch.Tensor | float = 0.0
        count, gradients = 0, list[torch.Tensor]()
        for gradient in self.probe.example_gradients(run, self.examples):
            gradients.append(self.blocks(gradient))
            count += 1
            if len(gradients) == CHUNK:
                total, gradients = total + _products(gradients), []
        total = total + _products(gradients) if gradients else total
        return total / count + self.damping * torch.eye(self.block).to(self.net.weights)

    def blocks(self, values: torch.Tensor) -> torch.Tensor:
        """Return values [N] as blocks [K, B] of each layer; the last block of a layer ends with zeros."""
        pad = torch.nn.functional.pad
        parts = [pad(values[layer.span], (0, -layer.size % self.block)) for layer in self.net.layers]
        return torch.cat(parts).view(-1, self.block)

    def joined(self, blocks: torch.Tensor) -> torch.Tensor:
        """Return the values [N] of blocks [K, B]."""
        sizes = [layer.size + -layer.size % self.block for layer in self.net.layers]
        parts = blocks.flatten().split(sizes)
        return torch.cat([part[: layer.size] for part, layer in zip(parts, self.net.layers, strict=True)])


def _products(gradients: list[torch.Tensor]) -> torch.Tensor:
    """Return the sum of g g^T over gradients in blocks [K, B], block by block."""
    stacked = torch.stack(gradients, 1)  # [K, n, B]
    return stacked.mT @ stacked
