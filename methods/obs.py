"""The optimal brain surgeon: pruning by a quadratic model of the loss, with an update of the weights that stay."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from methods.core.fishers import BlockFisher, KroneckerFisher
from methods.core.lazy import torch
from methods.core.network import Network
from methods.core.option_types import Range, ShareFrom0
from methods.core.probe import Probe
from methods.core.ranks import mean_over_ranks
from methods.core.registry import register
from methods.one_shot import OneShot


@register("obs", knob="density")
@dataclass
class OptimalBrainSurgeon(OneShot):
    """Train dense, prune the weights of least w^2 / (2 [F^-1]_ww), and move the others to where the loss rises least.

    F = damping + mean g g^T is the empirical Fisher matrix, with gradients g of `examples` single training examples and
    zero between blocks of `block` weights that follow one another in a layer; block=1 is the diagonal, which moves
    nothing. Hassibi & Stork, 1992; Singh & Alistarh, "WoodFisher", NeurIPS 2020, which inverts F example by example to
    the same effect. The pruned weights of a block go together, w_kept += F_kept,kept^-1 F_kept,pruned w_pruned;
    WoodFisher adds their single updates. Without fine-tuning; `finetune` is the share of the budget for it. In a
    script, g are gradients of the batches that `probe` returns.

    With `fisher=kfac`, F without damping is a Kronecker product for each layer, as in WoodFisher's comparison and in
    Zeng & Urtasun, "MLPrune", 2018: (mean V V^T) x (mean V^T V) / mean ||V||^2 for gradients V [O, I], where K-FAC has
    the means of output gradients and of inputs; both agree on one example of a linear layer. The pruned weights of a
    layer go together. WoodFisher's perceptron on MNIST at a density of 0.05, three epochs, mean of three seeds: kfac
    80.3 %, blocks 76.8 %, diagonal 71.7 %, magnitude 83.0 %, of 94.5 % dense; they have 81.3, 84.2 and 19.9 % of
    94.0 %.
    """

    family: ClassVar[str] = "during training"
    paper: ClassVar[str] = "Hassibi & Stork, 1992; Singh & Alistarh, NeurIPS 2020"
    derived_names: ClassVar[tuple[str, ...]] = ("probe",)

    finetune: ShareFrom0 = 0.0
    fisher: Literal["block", "kfac"] = "block"
    block: Annotated[int, Range("[1, 4096]")] = field(default=50, metadata={"needs": ("fisher", "block")})
    examples: Annotated[int, Range("[1, 1000000]")] = 400
    damping: Annotated[float, Range("(0, 1e6]")] = 1e-5

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        probe.check_data()
        self.probe = probe

    def prune(self) -> None:
        net = self.net
        fishers = [self.fisher_of(run) for run in range(net.runs)]
        inverses = torch.stack([fisher.inverse_diagonal() for fisher in fishers])
        before = net.weights.clone()
        self.prune_to(before.square() / (2 * inverses), self.distribution)
        assert self.mask is not None
        for run, fisher in enumerate(fishers):
            net.weights[run] += fisher.move(before[run], self.mask[run])
        net.weights.copy_(mean_over_ranks(net.weights)).masked_fill_(~self.mask, 0)

    def fisher_of(self, run: int) -> BlockFisher | KroneckerFisher:
        """Return the Fisher matrix of one run."""
        gradients = self.probe.example_gradients(run, self.examples)
        if self.fisher == "kfac":
            return KroneckerFisher(gradients, self.net.layers, self.damping)
        return BlockFisher(gradients, self.net.layers, self.damping, self.block)
