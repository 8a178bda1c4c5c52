"""Soft thresholding with learned thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from methods.core.base import Method, differs
from methods.core.lazy import torch
from methods.core.network import Network
from methods.core.option_types import Range
from methods.core.probe import Probe
from methods.core.registry import register


@register("str", knob="strength")
@dataclass
class SoftThresholdReparametrization(Method):
    """Train w = sign(theta) max(|theta| - sigmoid(s), 0), with a number s for every layer, by SGD with weight decay.

    Kusupati et al., "Soft Threshold Weight Reparameterization", ICML 2020. s starts at `init`; weight decay pulls it
    towards zero, which raises the threshold, against the gradient of the loss. The knob is strength = decay * S / 2
    with S = lr_gain * sum_t lr_t: without a gradient of the loss, theta and s shrink over the run by exp(-2 strength),
    as w does in dwf; with `by=penalty` it is lambda = decay / 2. Gradients are exact: dw / dtheta is one for nonzero w
    and zero elsewhere.

    The authors start s at -3200 on ImageNet, where the threshold stays zero for half of their training and then rises
    fast. In short trainings this is worse: after 40 epochs of lenet300-digits, one seed, s = -3200 has 96.4 % at a
    compression of 13 and leaves no weight from strength 8 on; s = -8 has 97.8 % at 12 and 93.9 % at 105.
    """

    family: ClassVar[str] = "penalty"
    paper: ClassVar[str] = "Kusupati et al., ICML 2020"
    state_names: ClassVar[tuple[str, ...]] = ("theta", "logits", "logits_state")
    derived_names: ClassVar[tuple[str, ...]] = ("decay",)

    init: Annotated[float, Range("[-10000, 10]")] = -8.0
    by: Literal["strength", "penalty"] = "strength"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.knob = self.by

    @property
    def zeros_stay(self) -> bool:
        return True

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        self.theta = net.weights.clone()
        self.logits = net.weights.new_full((net.runs, len(net.layers)), self.init)
        self.logits_state = self.optimizer.state(self.logits)
        budget = self.optimizer.lr_gain * probe.learning_rates.sum(1, keepdim=True) if self.by == "strength" else 1.0
        self.penalty = (self.value / budget).to(net.weights)  # lambda of lambda ||theta||^2
        self.decay = 2 * self.penalty
        self.collapse()

    def collapse(self) -> None:
        """Write the soft-thresholded theta into the network."""
        for i, layer in enumerate(self.net.layers):
            theta, threshold = self.theta[:, layer.span], self.logits[:, i : i + 1].sigmoid()
            self.net.weights[:, layer.span] = theta.sign() * (theta.abs() - threshold).clamp(min=0)

    def take_up(self) -> None:
        """Set theta of changed weights so that soft thresholding gives them; the other theta stay."""
        given = self.net.weights.clone()
        self.collapse()
        written = differs(self.net.weights, given)
        for i, layer in enumerate(self.net.layers):
            weights = given[:, layer.span]
            theta = weights + weights.sign() * self.logits[:, i : i + 1].sigmoid()
            self.theta[:, layer.span] = torch.where(written[:, layer.span], theta, self.theta[:, layer.span])
        self.collapse()

    def update(self, lr: torch.Tensor) -> None:
        weights, grad = self.net.weights, self.net.grad
        pull = torch.cat([-(grad * weights.sign())[:, layer.span].sum(1, keepdim=True) for layer in self.net.layers], 1)
        threshold = self.logits.sigmoid()
        logits_grad = pull * threshold * (1 - threshold) + self.decay * self.logits
        grad.masked_fill_(weights == 0, 0).addcmul_(self.theta, self.decay)
        self.optimizer.step(self.theta, grad, self.state, lr)
        if lr.dim() == 1:  # the learning rate of each layer
            lr = lr[[layer.start for layer in self.net.layers]]
        self.optimizer.step(self.logits, logits_grad, self.logits_state, lr)
        self.collapse()
