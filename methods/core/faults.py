"""Sentences about faults of a network before and after training, for a script's warnings and a run's row."""

from __future__ import annotations

import math

from methods.core.base import Method
from methods.core.lazy import torch
from methods.core.network import Network

# Advice for each knob. At a fixed strength, lambda falls with the sum of the learning rates.
REMEDIES = {
    "strength": "a smaller strength, a larger learning rate or more steps leave more",
    "penalty": "a smaller penalty leaves more",
    "none": "a smaller learning rate may leave more",
}
FEW = 0.001  # the share of the weights below which next to nothing is left
MANY = 0.95  # the share of the weights above which a penalty made next to nothing zero
ROUNDING = 0.01  # the share by which the number of weights may differ from the one that a density asks for


def end_of_training(net: Network, method: Method, before: int, done: int, declared: int) -> list[str]:
    """Return sentences about the step count and the weights of a script; the list is empty if all is well.

    `before` is the number of nonzero weights before the method finished.
    """
    said, left = [], int(net.weights.count_nonzero())
    if abs(done - declared) > 0.01 * declared:  # a gradient scaler skips a few steps
        said.append(f"finish() came after {done:,} steps, but {declared:,} were declared")
        if method.knob == "density" and left < before:
            said[-1] += f"; {method} pruned {before - left:,} weights at once in finish()"
    if not bool(net.weights.isfinite().all()):
        said.append("the weights are not finite; a smaller learning rate may train")
    total = net.weights.numel()
    if method.knob in ("strength", "penalty") and bool(method.value > 0) and left > MANY * total:
        said.append(f"{left:,} of {total:,} weights are left; more steps or a larger {method.knob} may leave fewer")
    return said + left_weights(net, method, 0)


def other_rates(method: Method, spent: float, expected: float) -> list[str]:
    """Return a sentence if the sum of learning rates made another strength than the expected sum would have."""
    if method.penalty is None or math.isclose(spent, expected, rel_tol=0.05):
        return []
    planned = float(method.value[0]) * (1 if method.knob == "strength" else expected)
    return [
        f"the learning rates gave a strength of {planned * spent / expected:.3g}, but {planned:.3g} was planned; give "
        "the learning rate of every step as `rates`"
    ]


def start_of_training(net: Network, given: torch.Tensor, method: Method) -> list[str]:
    """Return sentences about an ignored weight decay, and layers that cannot learn: of zeros, or pruned entirely."""
    said = []
    if method.weight_decay and method.knob in ("strength", "penalty") and type(method).update is not Method.update:
        said.append(f"weight_decay is for methods without a penalty; {method} ignores it")
    zero = [layer.name for layer in net.layers if not given[:, layer.span].any()]
    if zero and method.zeros_stay:
        said.append(
            f"{', '.join(zero)} cannot learn: all weights are zero, and under {method} zeros stay zero; start from "
            "small random weights, exclude the layer, or take another method"
        )
    # Other methods choose their masks anew while they train.
    mask = getattr(method.inner or method, "mask", None) if method.family == "before training" else None
    gone = [layer.name for layer in net.layers if isinstance(mask, torch.Tensor) and not mask[:, layer.span].any()]
    if gone:
        said.append(f"{method} prunes all weights of {', '.join(gone)}; a larger density or exclude= leaves some")
    return said


def left_weights(net: Network, method: Method, run: int) -> list[str]:
    """Return sentences about the weights of a run that are left: next to none, others than asked, none in a layer."""
    weights = net.weights[run]
    total, left = len(weights), int(weights.count_nonzero())
    planned = round(float(method.value[run]) * total) if method.knob == "density" else total
    said = []
    if left < min(FEW * total, planned):
        knob = (method.inner or method).knob  # an inner penalty may leave less than the density asks for
        said.append(f"{left:,} of {total:,} weights are left; {REMEDIES.get(knob, REMEDIES['none'])}")
    elif method.knob == "density" and abs(left - planned) > max(1, ROUNDING * planned):
        said.append(f"{left:,} of {total:,} weights are left, though the density asks for {planned:,}")
    if empty := [layer.name for layer in net.layers if not weights[layer.span].any()]:
        said.append(f"no weight is left in {', '.join(empty)}")
    return said
