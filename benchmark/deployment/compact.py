"""Compaction: a smaller network without the dead units of a sparse one, which computes the same."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from benchmark.deployment.features import matrix
from benchmark.deployment.tracer import Layer, Trace, traced
from benchmark.errors import UsageError, error_text

TOLERANCE = 1e-4  # relative to the largest output: rounding stays far below it, also below 16 steps of half precision
OUTPUT = torch.Tensor | float | int | str | None  # a network returns these, also in tuples, lists and dicts


def compact(model: nn.Module, example: torch.Tensor) -> nn.Module:
    """Return a copy of a sparse network without its dead units, filters and channels, in evaluation mode.

    A unit is dead if no path of nonzero weights leads from it to an output, or if its value is the same for all inputs,
    as without incoming weights. The constant goes into the bias of the next layer, which gets one if it has none. A
    convolution with zero padding sees a constant end at the border, so there all constant channels become multiples of
    one that stays. Layers keep their classes, names and order, and each keeps a unit at least. The outputs are equal up
    to rounding.

    `example` [1, ...] is an input on the model's device. Units stay where they meet an operation that the tracer does
    not follow, such as layer norm. Raises UsageError for a network that cannot be copied, or traced on a CPU, and for
    one that cannot compute, or computes something else, with smaller layers.
    """
    try:
        small = copy.deepcopy(model).eval().cpu()
    except Exception as error:
        raise UsageError(f"the network cannot be copied ({error_text(error)}); it stays whole") from None
    try:
        trace = traced(small, example.cpu())
    except Exception as error:
        reason = error_text(error)
        raise UsageError(f"the forward pass cannot be traced on a CPU ({reason}); the network stays whole") from None
    used = _used(trace)
    with torch.no_grad():
        for layer in trace.layers:
            _fold(small, layer, used, trace)
        for name, axes in trace.axes.items():
            _keep(small, name, {axis: used[units] for axis, units in axes.items()})
    small = small.to(example.device)
    _check(model, small, example)
    if example.is_floating_point():
        waves = torch.arange(example.numel(), device=example.device).sin().view_as(example).to(example.dtype)
        _check(model, small, 10 * (example + waves))  # biases may hide a difference at zeros and small activations
    return small


def _used(trace: Trace) -> torch.Tensor:
    """Return for each unit whether it stays: the smallest set in which used units have all inputs that they need."""
    used = torch.zeros(trace.count, dtype=torch.bool)
    for units in trace.pinned:
        used[units] = True
    before = -1
    while int(used.sum()) > before:
        before = int(used.sum())
        for first, second in trace.ties:
            used[first] = used[second] = used[first] | used[second]
        for layer in reversed(trace.layers):
            needed = layer.links[used[layer.outputs.units]].any(0)
            foldable, stand_in = _foldable(layer)
            used[layer.inputs.units[needed & ~foldable]] = True
            if stand_in is not None and bool((needed & foldable & (layer.inputs.values != 0)).any()):
                used[layer.inputs.units[stand_in]] = True
        if int(used.sum()) == before:  # an operation on nothing fails, so every parameter keeps one
            for axes in trace.axes.values():
                for units in axes.values():
                    used[units[:1]] |= not used[units].any()
    return used


def _foldable(layer: Layer) -> tuple[torch.Tensor, int | None]:
    """Return which inputs of a layer may go with their constants, and which one stands in for them, if one must."""
    x = layer.inputs
    if not layer.padded:
        return x.constant if layer.bias else x.still(True), None
    sizes = x.values.abs().where(x.constant, 0)
    stand_in = int(sizes.argmax()) if sizes.any() else None
    return x.constant, stand_in


def _fold(model: nn.Module, layer: Layer, used: torch.Tensor, trace: Trace) -> None:
    """Move the constants of the inputs that a layer loses to its bias, or to the weights of the one that stands in."""
    x, weight = layer.inputs, model.get_parameter(layer.weight)
    gone = ~used[x.units] & x.constant & (x.values != 0)
    if not gone.any():
        return
    _, stand_in = _foldable(layer)
    if stand_in is not None:
        shares = x.values[gone] / x.values[stand_in]
        weight[:, stand_in] += torch.einsum("oi...,i->o...", weight[:, gone].double(), shares).to(weight.dtype)
        return
    assert layer.bias is not None
    moved = matrix(weight.double())[:, gone] @ x.values[gone]
    owner, name = _place(model, layer.bias)
    if getattr(owner, name) is None:
        setattr(owner, name, nn.Parameter(torch.zeros_like(moved, dtype=weight.dtype)))
        trace.axes[layer.bias] = {0: layer.outputs.units}
    getattr(owner, name).add_(moved.to(weight.dtype))


def _keep(model: nn.Module, name: str, stays: dict[int, torch.Tensor]) -> None:
    """Cut a parameter or buffer to the entries that stay along some of its axes, and tell its module the sizes."""
    owner, attribute = _place(model, name)
    whole = part = getattr(owner, attribute)
    for axis, kept in stays.items():
        part = part.index_select(axis, kept.nonzero().flatten())
    part = part.clone()
    setattr(owner, attribute, nn.Parameter(part, whole.requires_grad) if isinstance(whole, nn.Parameter) else part)
    if attribute == "weight" and isinstance(owner, nn.Linear):
        owner.out_features, owner.in_features = part.shape
    elif attribute == "weight" and isinstance(owner, nn.modules.conv._ConvNd):
        owner.groups = len(part) if owner.groups > 1 else 1
        owner.out_channels, owner.in_channels = len(part), part.shape[1] * owner.groups
    elif isinstance(owner, nn.modules.batchnorm._BatchNorm):
        owner.num_features = len(part)


def _place(model: nn.Module, name: str) -> tuple[nn.Module, str]:
    """Return the module that has a parameter or buffer, and its name there."""
    path, _, attribute = name.rpartition(".")
    return model.get_submodule(path), attribute


def _check(model: nn.Module, small: nn.Module, example: torch.Tensor) -> None:
    """Raise UsageError unless two networks in evaluation mode compute the same for an example."""
    training = model.training
    try:
        with torch.no_grad():
            wanted, got = (tree_leaves(network(example)) for network in (model.eval(), small))
    except Exception as error:
        reason = error_text(error)
        raise UsageError(f"the network does not compute with smaller layers ({reason}); it stays whole") from None
    finally:
        model.train(training)
    if unknown := {type(leaf).__name__ for leaf in wanted if not isinstance(leaf, OUTPUT)}:
        raise UsageError(
            f"the network returns {', '.join(sorted(unknown))}, whose tensors are not known; it stays whole. "
            "Return tensors, or tuples, lists or dicts of them"
        )
    if len(wanted) != len(got) or any(map(_differ, wanted, got)):
        raise UsageError("the network computes something else with smaller layers; it stays whole")


def _differ(one: Any, other: Any) -> bool:
    """Tell whether two outputs differ by more than rounding does."""
    if not isinstance(one, torch.Tensor):
        return isinstance(one, float) and not math.isclose(one, other, rel_tol=TOLERANCE)
    if not isinstance(other, torch.Tensor) or one.shape != other.shape:
        return True
    step = torch.finfo(one.dtype).eps if one.is_floating_point() else 0.0
    one, other = one.to(torch.complex128), other.to(torch.complex128)
    largest = float(one[one.isfinite()].abs().max()) if one.isfinite().any() else 0.0
    return not torch.allclose(one, other, rtol=0, atol=max(TOLERANCE, 16 * step) * largest, equal_nan=True)
