"""D-Gating: a penalty on whole units by scalar gates, which leaves smaller layers and not only fewer weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from methods.core.base import EPSILON, Method, differs
from methods.core.lazy import torch
from methods.core.network import Layer, Network
from methods.core.option_types import Range, ShareFrom0To1
from methods.core.probe import Probe
from methods.core.registry import register


@register("d-gating", knob="strength")
@dataclass
class DGating(Method):
    """Train w_g = v_g * gamma_1 * ... * gamma_(D-1) on L0(w) + (lambda / D) (sum ||v_g||^2 + sum gamma^2).

    A group g has the weights into one unit: a row of a linear layer, a filter of a convolution. v_g is a vector and its
    D - 1 gates are numbers. By the inequality of arithmetic and geometric means, the minima are those of
    L0(w) + lambda sum_g ||w_g||_2^(2/D): D = 2 is the group lasso, D >= 3 non-convex. Kolb, Frost, Bischl & Ruegamer,
    "Differentiable Sparsity via D-Gating", NeurIPS 2025, arXiv 2509.23898, who recommend D = 3 or 4. v starts at the
    network's weights and the gates at one, as there.

    The knob is strength = lambda S with S = lr_gain * sum_t lr_t, as in dwf: a group without a gradient of the loss
    shrinks over the run by exp(-2 strength); with `by=penalty` it is lambda. At the end |w| < threshold becomes zero,
    and so does a group whose root mean square is below it, though single weights of it may still be above. The
    paper gates the convolutions of convolutional networks alone; here all prunable weights are gated, and so are the
    rows of the output layer. Groups of all sizes have the same lambda.
    """

    family: ClassVar[str] = "factorization"
    version: ClassVar[int] = 2  # version 1 made single weights zero alone
    paper: ClassVar[str] = "Kolb, Frost, Bischl & Rügamer, NeurIPS 2025"
    state_names: ClassVar[tuple[str, ...]] = ("vectors", "gates", "gate_states")
    derived_names: ClassVar[tuple[str, ...]] = ("group", "sizes", "slope")

    depth: Annotated[int, Range("[2, 100]")] = field(default=3, metadata={"shown": True})
    by: Literal["strength", "penalty"] = "strength"
    threshold: ShareFrom0To1 = EPSILON

    def __post_init__(self) -> None:
        super().__post_init__()
        self.knob = self.by

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.group = torch.cat(_groups(net.layers)).to(net.weights.device)  # [N], the number of each weight's group
        self.sizes = self.sums(torch.ones_like(net.weights))[0]
        self.vectors = net.weights.clone()
        self.gates = net.weights.new_ones(self.depth - 1, net.runs, len(self.sizes))
        self.gate_states = [self.optimizer.state(gate) for gate in self.gates]
        budget = self.optimizer.lr_gain * probe.learning_rates.sum(1, keepdim=True) if self.by == "strength" else 1.0
        self.penalty = (self.value / budget).to(net.weights)
        self.slope = 2 * self.penalty / self.depth

    def sums(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sums [R, G] of values [R, N] over each group."""
        parts = []
        for layer in self.net.layers:
            units = values[:, layer.span].unflatten(1, layer.shape).movedim(1 + layer.output_axis, 1)
            parts.append(units.reshape(*units.shape[:2], -1).sum(2))
        return torch.cat(parts, 1)

    def collapsed(self) -> torch.Tensor:
        """Return the product of vectors and gates, [R, N]."""
        return self.vectors * self.gates.prod(0)[:, self.group]

    def update(self, lr: torch.Tensor) -> None:
        pull = self.sums(self.net.grad * self.vectors)  # the derivative by the product of a group's gates
        others = [torch.cat([self.gates[:d], self.gates[d + 1 :]]).prod(0) for d in range(self.depth - 1)]
        grad = self.net.grad.mul_(self.gates.prod(0)[:, self.group]).addcmul_(self.vectors, self.slope)
        self.optimizer.step(self.vectors, grad, self.state, lr)
        if lr.dim() == 1:  # the learning rate of each weight, which its layer shares
            lr = self.sums(lr.unsqueeze(0))[0] / self.sizes
        for gate, rest, state in zip(self.gates, others, self.gate_states, strict=True):
            self.optimizer.step(gate, (pull * rest).addcmul_(gate, self.slope), state, lr)
        self.net.weights.copy_(self.collapsed())

    def finish(self) -> None:
        """Leave exact zeros for small groups, and for small weights of the others."""
        magnitudes = (self.sums(self.net.weights.square()) / self.sizes).sqrt()
        self.net.weights.masked_fill_((magnitudes < self.threshold)[:, self.group], 0)
        super().finish()

    def take_up(self) -> None:
        """Open the gates of groups whose weights have changed; the other groups stay."""
        written = self.sums(differs(self.collapsed(), self.net.weights).to(self.net.weights)) > 0
        self.vectors.copy_(torch.where(written[:, self.group], self.net.weights, self.vectors))
        self.gates.masked_fill_(written, 1)


def _groups(layers: Sequence[Layer]) -> list[torch.Tensor]:
    """Return the number of the group of each weight, for each layer; groups are counted through all layers."""
    groups, count = [], 0
    for layer in layers:
        axis = layer.output_axis
        units = layer.shape[axis]
        places = torch.arange(count, count + units).view(*(units if i == axis else 1 for i in range(len(layer.shape))))
        groups.append(places.expand(layer.shape).flatten())
        count += units
    return groups
