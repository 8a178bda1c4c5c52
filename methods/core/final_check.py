"""Sentences about faults of a network at the end of a script's training."""

from __future__ import annotations

from methods.core.base import Method
from methods.core.network import Network

FEW = 0.001  # the share of the weights below which next to nothing is left


def end_of_training(net: Network, method: Method, before: int, done: int, declared: int) -> list[str]:
    """Return sentences about the step count and the weights that are left; the list is empty if all is well.

    `before` is the number of nonzero weights before the method finished.
    """
    said = []
    total, left = net.weights.numel(), int(net.weights.count_nonzero())
    if abs(done - declared) > 0.01 * declared:  # a gradient scaler skips a few steps
        said.append(f"finish() came after {done:,} steps, but {declared:,} were declared")
        if method.knob == "density" and left < before:
            said[-1] += f"; {method} pruned {before - left:,} weights at once in finish()"
    planned = round(float(method.value) * total) if method.knob == "density" else total
    if left < min(FEW * total, planned):
        said.append(f"{left:,} of {total:,} weights are left; a smaller {method.knob} or learning rate leaves more")
    if not bool(net.weights.isfinite().all()):
        said.append("the weights are not finite; a smaller learning rate may train")
    empty = [layer.name for layer in net.layers if not net.weights[:, layer.span].any()]
    if empty:
        said.append(f"no weight is left in {', '.join(empty)}")
    return said
