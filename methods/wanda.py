"""Pruning by weights and activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from methods.core.lazy import torch
from methods.core.masks import Distribution
from methods.core.network import Layer, Network
from methods.core.option_types import Range, ShareFrom0
from methods.core.probe import Probe
from methods.core.registry import register
from methods.one_shot import OneShot


@register("wanda", knob="density")
@dataclass
class Wanda(OneShot):
    """Train dense and keep in each row the weights of largest |w| ||x||_2, where x are the inputs that w multiplies.

    Sun, Liu, Bair & Kolter, "A Simple and Effective Pruning Approach for Large Language Models", ICLR 2024. A row has
    the weights of one output, and all rows keep the same share; another `distribution` compares as in other methods, so
    that 2:4 is the paper's too. The norm is over `batches` training batches. Without fine-tuning, as in the paper;
    `finetune` is the share of the budget for it. The paper prunes layer by layer with the inputs that the pruned layers
    before give; here all norms are those of the dense network. For a convolution, x are the inputs at one place of the
    kernel. Inputs of recurrent modules and of the input projections of nn.MultiheadAttention are not known; there the
    norm is one, so that |w| decides within each row.
    """

    family: ClassVar[str] = "during training"
    paper: ClassVar[str] = "Sun, Liu, Bair & Kolter, ICLR 2024"
    derived_names: ClassVar[tuple[str, ...]] = ("probe",)

    finetune: ShareFrom0 = 0.0
    distribution: Literal["row"] | Distribution = "row"
    batches: Annotated[int, Range("[1, 10000]")] = 1

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        probe.check_data()
        self.probe = probe

    def prune(self) -> None:
        scores = self.net.weights.abs() * self.probe.input_norms(self.batches)
        if self.distribution == "row":
            scores = torch.cat([by_row(scores[:, layer.span], layer) for layer in self.net.layers], 1)
        self.prune_to(scores, "global" if self.distribution == "row" else self.distribution)


def by_row(scores: torch.Tensor, layer: Layer) -> torch.Tensor:
    """Return for scores [R, n] of a layer the share of its row that each weight is above, so that all rows compare."""
    if len(layer.shape) == 1:
        return scores
    axis = 1 + layer.output_axis
    rows = scores.unflatten(1, layer.shape).movedim(axis, 1)
    flat = rows.flatten(2)
    last = flat.nan_to_num(nan=torch.finfo(flat.dtype).min)
    places = last.argsort(dim=2, descending=True, stable=True).argsort(dim=2)
    return (1 - places / flat.shape[2]).view(rows.shape).movedim(1, axis).flatten(1)
