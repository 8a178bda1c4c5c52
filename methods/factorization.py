"""Weight factorization of any depth: sparsity by plain L2 on the factors of every weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from methods.base import Method, Probe
from methods.network import Network
from methods.registry import MethodError, register, register_alias


@register("dwf", knob="strength")
@dataclass
class Factorization(Method):
    """Write w = omega_1 * ... * omega_D and train the factors on L0(w) + (lambda / D) sum_d ||omega_d||^2.

    By the inequality of arithmetic and geometric means its minima are those of L0(w) + lambda sum_j |w_j|^(2/D):
    D = 1 is ridge, D = 2 the lasso, D >= 3 non-convex. After training |w| < threshold becomes zero.
    Kolb, Weber, Bischl & Ruegamer, "Deep Weight Factorization", ICLR 2025; D = 2: Ziyin & Wang, ICML 2023.

    The knob is strength = lambda S with S = gain * sum_t lr_t, gain = 1 / (1 - momentum): a weight that no gradient
    holds shrinks over the run by exp(-2 strength), whatever the task, depth and budget.

    Factors start from the paper's variance-matched, truncated normal draw: standard deviation s^(1/D) for a layer
    whose weights have standard deviation s, redrawn until (`epsilon` s)^(1/D) < |omega| < min(1, 2 s)^(1/D). The
    paper's epsilon is not known to us; 0.25 is ours.
    """

    depth: int = field(default=3, metadata={"shown": True})
    epsilon: float = 0.25
    threshold: float = 1.19e-7  # float32's machine epsilon, the paper's zero

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise MethodError(f"the depth of dwf is a whole number >= 1, not {self.depth}")
        if not 0 <= self.epsilon < 1:
            raise MethodError(
                f"the epsilon of dwf is a share of the standard deviation in [0, 1), not {self.epsilon:g}"
            )
        if not self.threshold >= 0:
            raise MethodError(f"the threshold of dwf is a number >= 0, not {self.threshold:g}")

    def prepare(self, net: Network, probe: Probe) -> None:
        draws = [truncated_factors(net, run, self.depth, self.epsilon, g) for run, g in enumerate(probe.generators())]
        self.factors = torch.stack(draws, dim=1).to(net.weights)  # [D, R, N]
        self.states = [self.rule.state(factor) for factor in self.factors]
        self.scratch = torch.empty_like(net.weights)
        strength_per_penalty = self.rule.gain * sum(probe.learning_rates)
        self.penalty = (self.value / strength_per_penalty).to(net.weights)
        self.decay = 2 * self.penalty / self.depth
        self.collapse()

    def collapse(self) -> None:
        """Multiply the factors back into the network."""
        product(self.net.weights, self.factors.unbind())

    def update(self, lr: float) -> None:
        # The gradient of factor d is grad * (product of the others) + decay * factor_d, all at the old factors: `grad`
        # gathers the factors already moved, as they were, and `chain` multiplies in those still to come.
        grad = self.net.grad
        for d, factor in enumerate(self.factors):
            later = self.factors[d + 1 :].unbind()
            chain = product(self.scratch, (grad, *later)) if later else grad
            chain.addcmul_(factor, self.decay)
            if later:
                grad.mul_(factor)
            self.rule.step(factor, chain, self.states[d], lr)
        self.collapse()

    def finish(self) -> None:
        self.net.weights.masked_fill_(self.net.weights.abs() < self.threshold, 0)


def product(out: torch.Tensor, tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Multiply tensors into `out`, one pass over memory for each after the first."""
    first, *others = tensors
    for tensor in others:
        first = torch.mul(first, tensor, out=out)
    return out if others else out.copy_(first)


register_alias("shallow", "dwf[depth=2]")


def truncated_factors(net: Network, run: int, depth: int, epsilon: float, generator: torch.Generator) -> torch.Tensor:
    """Draw [D, N] factors, layer by layer, matched to the standard deviation of the layer's present weights."""
    drawn = []
    for layer in net.layers:
        std = net.weights[run, layer.span].std().item()
        low, high = (epsilon * std) ** (1 / depth), min(1.0, 2 * std) ** (1 / depth)
        factors = torch.empty(depth, layer.size)
        redraw = torch.ones_like(factors, dtype=torch.bool)
        while redraw.any():
            factors[redraw] = torch.randn(int(redraw.sum()), generator=generator) * std ** (1 / depth)
            redraw = (factors.abs() <= low) | (factors.abs() >= high)
        drawn.append(factors)
    return torch.cat(drawn, dim=1)
