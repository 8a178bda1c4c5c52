"""The options that torch's optimizers keep in their parameter groups, where schedulers and users change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from methods.core.optimizers import Optimizer
from methods.core.registry import MethodError

KEYS = {"epsilon": "eps"}  # torch's names of options, where they differ
REFUSED = ("maximize", "differentiable", "capturable")


def group_options(optimizer: Optimizer, lr: float) -> dict[str, Any]:
    """Return the defaults of a parameter group: those of torch's optimizers and the options of this one."""
    known = {"lr": lr, "weight_decay": 0.0, "foreach": None, "fused": None} | dict.fromkeys(REFUSED, False)
    return known | {KEYS.get(name, name): getattr(optimizer, name) for name in _names(optimizer)}


def with_group_options(optimizer: Optimizer, group: Mapping[str, Any]) -> Optimizer:
    """Return the optimizer with the options that a parameter group has now, such as a scheduled momentum.

    Raises MethodError for an option of torch's optimizers that no method has.
    """
    for name in REFUSED:
        if group.get(name):
            raise MethodError(f"SparseOptimizer has no {name}; leave it at False in its parameter groups")
    options = {name: group.get(KEYS.get(name, name), getattr(optimizer, name)) for name in _names(optimizer)}
    if all(getattr(optimizer, name) == value for name, value in options.items()):
        return optimizer
    return replace(optimizer, **options)  # type: ignore[type-var]


def _names(optimizer: Optimizer) -> list[str]:
    return [field.name for field in fields(optimizer)] if is_dataclass(optimizer) else []
