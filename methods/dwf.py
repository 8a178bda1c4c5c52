"""Deep weight factorization: sparsity by an L2 penalty on the factors of every weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from methods.core.base import EPSILON, Method, differs
from methods.core.compilation import fused
from methods.core.lazy import torch
from methods.core.network import Network
from methods.core.optimizers import Optimizer, Sgd, State
from methods.core.option_types import Range, ShareFrom0, ShareFrom0To1
from methods.core.probe import Probe
from methods.core.registry import register, register_alias
from methods.dwf_factors import Initialization, draw_factors

COMPILE_FROM = 400_000  # entries of all factors; for fewer, compiling costs more time than it saves


@register("dwf", knob="strength")
@dataclass
class Factorization(Method):
    """Train the factors of w = omega_1 * ... * omega_D on L0(w) + (lambda / D) sum_d ||omega_d||^2.

    By the inequality of arithmetic and geometric means, the minima are those of L0(w) + lambda sum_j |w_j|^(2/D):
    D = 1 is ridge, D = 2 the lasso, D >= 3 non-convex. After training, weights with |w| < threshold become zero.
    Kolb, Weber, Bischl & Ruegamer, "Deep Weight Factorization", ICLR 2025; D = 2: Ziyin & Wang, ICML 2023.

    The knob is strength = lambda S with S = lr_gain * sum_t lr_t and lr_gain = 1 / (1 - momentum): a weight without a
    gradient of the loss shrinks over the run by exp(-2 strength), for every task, depth and budget. With `by=penalty`
    the knob is lambda itself.

    rates: gradient flow on the factors moves w by r = sum_d (product of the other factors)^2 times the rate of gradient
    flow on w, and r depends on depth, layer and weight. With `matched` the learning rate of a weight is
    lr / max(r, r0), where r0 is the mean of r over its layer at the start. To first order in lr no weight then moves
    further than under SGD on w, so one learning rate suits all depths. With `by=strength`, lambda is that of the knob
    times r0, so that all layers shrink alike; a weight with r > r0 shrinks more slowly until r has fallen to r0.
    Under Adam, whose steps have a size of their own, rates are `equal`. Equal rates, factors that are drawn anew
    (`init=truncated`) and one lambda are the paper's recipe.
    init, epsilon, rescale: the initialization of the factors, see `methods.dwf_factors`. The paper does not state its
    epsilon; 0.25 without rescaling is our choice, since it trains at depths 2 to 4. In the experiments `depth` and
    `init`, 0 is more accurate at depth 3, and diverges at depth 4.
    decay: `coupled` adds the L2 term to the gradient, as the theory asks. `decoupled` shrinks the factors outside of
    the step, omega <- omega (1 - lr lr_gain 2 lambda / D), as AdamW does. With SGD both are the same up to the delay of
    the momentum; with Adam, decoupled decay leaves weights dense that coupled decay would make zero.
    """

    family: ClassVar[str] = "factorization"
    paper: ClassVar[str] = "Kolb, Weber, Bischl & Rügamer, ICLR 2025; depth 2: Ziyin & Wang, ICML 2023"
    version: ClassVar[int] = 2  # since 2, rates are matched and the given weights are the start
    state_names: ClassVar[tuple[str, ...]] = ("factors", "states", "slope", "pace")
    derived_names: ClassVar[tuple[str, ...]] = ("scratch", "rate", "step")

    depth: Annotated[int, Range("[1, 100]")] = field(default=3, metadata={"shown": True})
    by: Literal["strength", "penalty"] = "strength"
    init: Initialization = "scaled"
    rates: Literal["matched", "equal"] = "matched"
    epsilon: ShareFrom0 = field(default=0.25, metadata={"needs": ("init", "truncated")})
    rescale: bool = field(default=False, metadata={"needs": ("init", "truncated")})
    decay: Literal["coupled", "decoupled"] = "coupled"
    threshold: ShareFrom0To1 = EPSILON

    def __post_init__(self) -> None:
        super().__post_init__()
        self.knob = self.by

    @property
    def exponent(self) -> float | None:
        return None if self.by == "strength" and self.matched else 2 / self.depth  # else the layers' lambdas differ

    @property
    def matched(self) -> bool:
        return self.rates == "matched" and isinstance(self.optimizer, Sgd)

    def setup(self, net: Network, probe: Probe) -> None:
        """Start the factors [D, R, N] and write their product into the network."""
        self.factors = net.weights.new_empty(self.depth, *net.weights.shape)
        for run, generator in enumerate(probe.generators()):
            for layer in net.layers:
                start = net.weights[run, layer.span]
                drawn = draw_factors(start, self.depth, self.init, self.epsilon, self.rescale, generator)
                self.factors[:, run, layer.span] = drawn
        self.states = [self.optimizer.state(factor) for factor in self.factors]  # in place of `state`
        self.scratch, self.rate = torch.empty_like(net.weights), torch.empty_like(net.weights)
        self.pace = layer_means(speed(self.rate, self.scratch, self.factors.unbind()), net)
        budget = self.optimizer.lr_gain * probe.learning_rates.sum(1, keepdim=True) if self.by == "strength" else 1.0
        penalties = (self.value / budget).to(net.weights)
        if self.by == "strength" and self.matched:
            penalties = penalties * self.pace
        self.slope = 2 * penalties / self.depth  # the derivative of the penalty, per unit of a factor
        self.penalty = penalties.mean(1, keepdim=True)
        product(net.weights, self.factors.unbind())
        self.step = fused(step, worth=self.factors.numel() >= COMPILE_FROM)

    def update(self, lr: torch.Tensor) -> None:
        pace = self.pace if self.matched else None
        tensors = (self.factors.unbind(), self.states, self.net.grad, self.scratch, self.rate, self.net.weights)
        self.step(*tensors, self.slope, pace, lr, self.optimizer, self.decay == "decoupled")

    def use(self, optimizer: Optimizer, weight_decay: float) -> None:
        if optimizer != self.optimizer:
            self.step = step  # a scheduled momentum would be compiled anew at every step
        super().use(optimizer, weight_decay)

    def take_up(self) -> None:
        """Start the factors of changed weights as `scaled` does; the other factors stay."""
        written = differs(product(self.scratch, self.factors.unbind()), self.net.weights)
        common = (self.pace / self.depth) ** (1 / (2 * self.depth - 2)) if self.depth > 1 else self.pace
        self.factors[0].copy_(torch.where(written, self.net.weights / common ** (self.depth - 1), self.factors[0]))
        self.factors[1:].copy_(torch.where(written, common, self.factors[1:]))

    def diagnose(self) -> dict[str, torch.Tensor]:
        """Return the penalty (lambda / D) sum ||omega||^2 and measures of how unequal the factors are.

        misalignment: M = (1 / D) sum ||omega||^2 - sum |w|^(2/D). It is zero if all factors of each weight have the
        same magnitude. relative_misalignment is M / ((1 / D) sum ||omega||^2).
        balanced: the share of weights whose largest factor is at most 5 % above their smallest.
        imbalance: the mean over weights of max omega^2 - min omega^2. For small steps it falls by
        exp(-4 lambda lr / D) a step, independently of the loss.
        """
        assert self.penalty is not None
        per_weight = self.factors.square().mean(0)
        factors = per_weight.sum(1)
        # Not the network's weights, in which small ones may be zero already.
        collapsed = product(self.scratch, self.factors.unbind())
        misalignment = factors - collapsed.abs_().pow_(2 / self.depth).sum(1)
        magnitudes = self.factors.abs()
        largest, smallest = magnitudes.amax(0), magnitudes.amin(0)
        return {
            "penalty": self.penalty[:, 0] * factors,
            "misalignment": misalignment,
            "relative_misalignment": misalignment / factors,
            "imbalance": (largest.square() - smallest.square()).mean(1),
            "balanced": (largest <= 1.05 * smallest).float().mean(1),
        }


def step(
    factors: Sequence[torch.Tensor],
    states: Sequence[State],
    grad: torch.Tensor,
    scratch: torch.Tensor,
    rate: torch.Tensor,
    weights: torch.Tensor,
    slope: torch.Tensor,
    pace: torch.Tensor | None,
    lr: torch.Tensor,
    optimizer: Optimizer,
    decoupled: bool,
) -> None:
    """Move all factors by one step in place, write their product into `weights`, and overwrite the buffers.

    The buffers are `grad`, `scratch` and `rate`. Without `pace` all factors have the learning rate `lr`.

    The gradient of factor d is grad * (product of the other factors), all as they were before the step. `grad`
    accumulates the old values of the factors that have moved; `chain` multiplies in the factors that have not.
    """
    if torch.compiler.is_compiling():  # the compiler keeps these copies out of memory
        grad, scratch, rate = grad.clone(), scratch.clone(), rate.clone()
    if pace is not None:
        lr = torch.maximum(speed(rate, scratch, factors), pace, out=rate).reciprocal_().mul_(lr)
    for d, factor in enumerate(factors):
        later = factors[d + 1 :]
        chain = product(scratch, (grad, *later)) if later else grad
        if not decoupled:
            chain.addcmul_(factor, slope)
        if later:
            grad.mul_(factor)
        if decoupled:
            factor.mul_(1 - lr * optimizer.lr_gain * slope)
        optimizer.step(factor, chain, states[d], lr)
    product(weights, factors)


def speed(out: torch.Tensor, scratch: torch.Tensor, factors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Write sum_d (product of the other factors)^2 into `out`, and overwrite `scratch`.

    Gradient flow on the factors moves their product this much faster than gradient flow on the product itself.
    """
    if len(factors) == 1:
        return out.fill_(1)
    out.zero_()
    for d in range(len(factors)):
        chain = product(scratch, (*factors[:d], *factors[d + 1 :]))
        out.addcmul_(chain, chain)
    return out


def layer_means(values: torch.Tensor, net: Network) -> torch.Tensor:
    """Return values [R, N] with those of each layer replaced by their mean."""
    means = torch.empty_like(values)
    for layer in net.layers:
        means[:, layer.span] = values[:, layer.span].mean(1, keepdim=True)
    return means


def product(out: torch.Tensor, tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Multiply tensors into `out`, with one pass over memory for each tensor after the first."""
    first, *others = tensors
    for tensor in others:
        first = torch.mul(first, tensor, out=out)
    return out if others else out.copy_(first)


register_alias("shallow", "dwf[depth=2]")
