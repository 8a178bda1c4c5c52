"""The arguments of SparseOptimizer: the value of a method, and numbers that are checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from methods.core.base import Method
from methods.core.registry import MethodError


def check_numbers(steps: int, lr: float, other_lr: float, rates: Sequence[float] | None) -> None:
    """Raise MethodError for a number of steps or a learning rate that cannot be."""
    if not (isinstance(steps, int) and steps >= 1):
        raise MethodError(f"steps is a whole number >= 1, not {steps}")
    if not 0 < lr < math.inf:
        raise MethodError(f"lr is a finite number > 0, not {lr:g}")
    if not 0 <= other_lr < math.inf:
        raise MethodError(f"other_lr is a finite number >= 0, not {other_lr:g}")
    if rates is not None and len(rates) != steps:
        raise MethodError(f"rates has one learning rate for each of the {steps:,} steps, not {len(rates):,}")


def check_optimizer(optimizer: object) -> None:
    """Raise MethodError unless an object takes the steps of `methods.core.optimizers`."""
    if isinstance(optimizer, type) or not hasattr(optimizer, "lr_gain"):
        raise MethodError(f"optimizer is Sgd(...) or Adam(...) of methods.core.optimizers, not {optimizer!r}")


def check_plan(plan: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Raise MethodError unless a state of an optimizer was made under the same plan."""
    if "plan" not in state:
        raise MethodError("this is no state of a SparseOptimizer; save optimizer.state_dict()")
    for name, value in plan.items():
        if state["plan"][name] != value:
            raise MethodError(f"the state is of {name} {state['plan'][name]}, and this optimizer has {value}")


def value_of(method: Method, given: dict[str, float | None]) -> float:
    """Return the value that was given under a name that fits the method; a method without a knob has the value 1."""
    fitting = [] if method.knob == "none" else [method.knob]
    if method.knob == "strength" and method.inner is None:  # an inner method has a budget of its own
        fitting.append("penalty")
    named = {name: float(value) for name, value in given.items() if value is not None}
    if len(named) != min(len(fitting), 1) or not set(named) <= set(fitting):
        takes = " or ".join(fitting) or "no value"
        raise MethodError(f"{method} takes {takes}, not {' and '.join(named) or 'nothing'}")
    return next(iter(named.values()), 1.0)
