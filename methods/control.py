"""Controls that separate the value of a finished run's mask from that of its weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from methods.core.hand_over import HandOver
from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.network import Network
from methods.core.probe import Probe
from methods.core.registry import MethodError, register


@register("control", knob="density")
@dataclass
class Control(HandOver):
    """Train as `mask` does to the end, then retrain under a mask that keeps as many weights in every layer.

    kind: `shuffle` permutes the final mask within each layer. `random` draws as many weights of each layer at random,
    which is the same distribution by another draw. `reinit` keeps the mask and permutes the initial weights within each
    layer, which makes them new draws from the same distribution. The other kinds start from the initial weights. Both
    trainings have the learning rate of `mask`; a run takes the budget of `mask` plus one. Su et al., "Sanity-Checking
    Pruning Methods", NeurIPS 2020; Frankle et al., "Pruning Neural Networks at Initialization: Why Are We Missing the
    Mark?", ICLR 2021.
    """

    mask: str = field(default="magnitude", metadata={"shown": True})
    kind: Literal["shuffle", "random", "reinit"] = field(default="shuffle", metadata={"shown": True})

    family: ClassVar[str] = "control"
    paper: ClassVar[str] = "Su et al., NeurIPS 2020; Frankle et al., ICLR 2021"
    state_names: ClassVar[tuple[str, ...]] = ("start_weights", "start_other", "start_buffers", "seeds")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.inner.family == "dense":
            raise MethodError(f"the mask of control is a method that makes weights zero, not {self.mask}")
        self.knob = self.inner.knob

    @property
    def batch_norm_version(self) -> int:
        return 2  # in version 1 the retraining started with the running statistics of the first training

    @property
    def phases(self) -> tuple[float, ...]:
        return (*self.inner.phases, 1.0)

    def phases_at(self, value: float) -> tuple[float, ...]:
        return (*self.inner.phases_at(value), 1.0)

    def setup(self, net: Network, probe: Probe) -> None:
        self.start_weights, self.start_other = net.weights.clone(), net.other_params.clone()
        self.start_buffers = [buffer.clone() for buffer in net.buffers()]
        super().setup(net, probe)
        self.seeds = [int(torch.randint(2**40, (), generator=generator)) for generator in probe.generators()]

    def hand_over(self) -> None:
        """Start again from the initial weights, under the mask that the control makes of the finished run's."""
        self.inner.finish()
        mask, weights = self.net.weights != 0, self.start_weights
        if isinstance(self.inner, Masked) and self.inner.mask is not None:
            mask = self.inner.mask.clone()  # a kept weight may be zero
        streams = [torch.Generator().manual_seed(seed) for seed in self.seeds]
        for layer in self.net.layers:
            orders = torch.stack([torch.randperm(layer.size, generator=stream) for stream in streams])
            orders = orders.to(weights.device)
            if self.kind == "reinit":
                weights[:, layer.span] = weights[:, layer.span].gather(1, orders)
            elif self.kind == "shuffle":
                mask[:, layer.span] = mask[:, layer.span].gather(1, orders)
            else:  # prune the first weights of the order, as many as the finished run pruned
                rank = orders.argsort(1)
                mask[:, layer.span] = rank >= (~mask[:, layer.span]).sum(1, keepdim=True)
        self.net.weights.copy_(weights)
        self.net.other_params.copy_(self.start_other)
        for buffer, start in zip(self.net.buffers(), self.start_buffers, strict=True):
            buffer.copy_(start)
        for tensor in self.net.other_state.values():
            tensor.zero_()
        self.fixed.apply_mask(mask)
