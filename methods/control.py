"""Controls: what is the mask of a finished run worth, and what its weights?"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, Literal

from methods.core.base import Method
from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.network import Network
from methods.core.probe import Probe
from methods.core.registry import parse, register


@register("control", knob="density")
@dataclass
class Control(Method):
    """Train as `mask` does to its end, then train anew with a mask that keeps as many weights in every layer as it did.

    kind: `shuffle` permutes the final mask within each layer; `random` draws as many weights of each layer at random,
    which is the same distribution by another draw; `reinit` keeps the mask as it is and permutes the initial weights
    within each layer, so that they are new draws from where they came. Otherwise the network starts from its initial
    weights. Both trainings have the rate of `mask`, and a run takes its steps and one budget more. Su et al.,
    "Sanity-Checking Pruning Methods", NeurIPS 2020; Frankle et al., "Pruning Neural Networks at Initialization: Why Are
    We Missing the Mark?", ICLR 2021.
    """

    mask: str = field(default="magnitude", metadata={"shown": True})
    kind: Literal["shuffle", "random", "reinit"] = field(default="shuffle", metadata={"shown": True})

    def __post_init__(self) -> None:
        self.inner: Method = parse(self.mask)
        self.mask, self.knob = str(self.inner), self.inner.knob

    @property
    def phases(self) -> tuple[float, ...]:
        return (*self.inner.phases, 1.0)

    def setup(self, net: Network, probe: Probe) -> None:
        self.start_weights, self.start_other = net.weights.clone(), net.other_params.clone()
        steps = len(probe.learning_rates)
        before = copy.copy(probe)  # the inner method's budget ends where its phases do
        before.learning_rates = probe.learning_rates[: round(steps * (1 - 1 / sum(self.phases)))]
        self.inner.bind(net, self.value.flatten().tolist(), self.optimizer, self.weight_decay, before)
        self.penalty = self.inner.penalty
        self.retraining = Masked()  # trains the weights under the mask of the control
        self.retraining.bind(net, [1.0] * net.runs, self.optimizer, self.weight_decay, probe)
        self.seeds = [int(torch.randint(2**40, (), generator=generator)) for generator in probe.generators()]

    def on_phase_start(self, phase: int) -> None:
        if phase < len(self.inner.phases):
            self.inner.on_phase_start(phase)
        else:
            self.inner.finish()
            self.retrain()

    def retrain(self) -> None:
        """Start anew under the mask of the finished run, or what the control makes of it."""
        mask, weights = self.net.weights != 0, self.start_weights
        if isinstance(self.inner, Masked) and self.inner.mask is not None:
            mask = self.inner.mask.clone()  # a kept weight may be zero
        streams = [torch.Generator().manual_seed(seed) for seed in self.seeds]
        for layer in self.net.layers:
            orders = torch.stack([torch.randperm(layer.size, generator=stream) for stream in streams]).to(
                weights.device
            )
            if self.kind == "reinit":
                weights[:, layer.span] = weights[:, layer.span].gather(1, orders)
            elif self.kind == "shuffle":
                mask[:, layer.span] = mask[:, layer.span].gather(1, orders)
            else:  # prune the first weights of the order, as many as the finished run pruned
                rank = orders.argsort(1)
                mask[:, layer.span] = rank >= (~mask[:, layer.span]).sum(1, keepdim=True)
        self.net.weights.copy_(weights)
        self.net.other_params.copy_(self.start_other)
        for tensor in self.net.other_state.values():
            tensor.zero_()
        self.penalty = None  # from here on there is none
        self.retraining.apply_mask(mask)

    def update(self, lr: torch.Tensor) -> None:
        if self.retraining.mask is None:
            self.inner.update(lr)
        else:
            self.retraining.update(lr)

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"inner": self.inner.state_dict(), "retraining": self.retraining.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.inner.load_state_dict(state["inner"])
        self.retraining.load_state_dict(state["retraining"])
        super().load_state_dict({name: value for name, value in state.items() if name not in ("inner", "retraining")})
