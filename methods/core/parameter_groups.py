"""The parameter groups of SparseOptimizer: pruned and other parameters, and parts with learning rates of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from methods.core.choice import fitting
from methods.core.driver import Rate
from methods.core.lazy import torch
from methods.core.network import Network
from methods.core.registry import MethodError
from methods.core.script_arguments import number

KEYS = ("params", "lr", "other_lr")


def named_groups(
    net: Network, lr: float, other_lr: float, given: Sequence[Mapping[str, Any]]
) -> list[tuple[list[str], float]]:
    """Return the names and the learning rate of each parameter group.

    They are the pruned parameters and the others of the whole model, and after them those of each part in `given`, a
    dictionary with the parameters or a choice as in `methods.core.choice`, and with a learning rate. Groups without
    parameters are left out, except the first. Raises MethodError for a part that holds nothing, and for a parameter in
    two parts.
    """
    pruned, others = ([layer.name for layer in layers] for layers in (net.layers, net.other_layers))
    part_of = dict.fromkeys((*pruned, *others), 0)
    rates = [(lr, other_lr)]
    for part in given:
        rates.append(_rates(part, other_lr / lr))
        params = part["params"]
        single = isinstance(params, str | torch.nn.Module | torch.Tensor | type) or not isinstance(params, Iterable)
        ids = fitting(net.model, params if single else list(params), "groups")
        held = [name for name in part_of if id(net.model.get_parameter(name)) in ids]
        if not held:
            raise MethodError(f"group {len(rates) - 1} of `groups` holds no trained parameter")
        for name in held:
            if part_of[name]:
                raise MethodError(f"{name} is in groups {part_of[name]} and {len(rates) - 1} of `groups`")
            part_of[name] = len(rates) - 1
    found: list[tuple[list[str], float]] = []
    for part_number, pair in enumerate(rates):
        for names, rate in zip((pruned, others), pair, strict=True):
            chosen = [name for name in names if part_of[name] == part_number]
            if chosen or not found:
                found.append((chosen, rate))
    return found


def present_rates(
    groups: Sequence[Mapping[str, Any]], names: Sequence[list[str]], net: Network, has_parts: bool
) -> tuple[Rate, Rate]:
    """Return the learning rates of the pruned and of the other parameters now: with parts, one for each parameter."""
    if not has_parts:
        return float(groups[0]["lr"]), float(groups[-1]["lr"])
    by_name = {name: float(group["lr"]) for group, held in zip(groups, names, strict=True) for name in held}
    pruned, others = ([by_name[layer.name] for layer in layers] for layers in (net.layers, net.other_layers))
    return pruned, others


def _rates(part: Mapping[str, Any], share: float) -> tuple[float, float]:
    """Return the learning rates of a part's pruned and other parameters; `share` is their default ratio."""
    if not isinstance(part, Mapping) or not {"params", "lr"} <= set(part) <= set(KEYS):
        shown = ", ".join(map(str, part)) if isinstance(part, Mapping) else type(part).__name__
        said = f"a group is a dictionary with params, lr and perhaps other_lr, not {shown}"
        if isinstance(part, Mapping) and "weight_decay" in part:  # as the groups of timm's factories have
            said += "; weight decay acts on pruned weights alone, so norms and biases need no group without it"
        raise MethodError(said)
    lr = number("lr of a group", part["lr"], " >= 0")
    return lr, number("other_lr of a group", part.get("other_lr", share * lr), " >= 0")
