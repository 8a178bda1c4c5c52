"""The arguments of SparseOptimizer: the value of a method, learning rates, and what is checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from numbers import Integral
from typing import Any, Literal

from methods.core.base import Method
from methods.core.choice import plain_name
from methods.core.lazy import torch
from methods.core.registry import MethodError


def number(name: str, value: Any, bound: Literal["", " > 0", " >= 0"] = "") -> float:
    """Return the number that an argument holds; raise MethodError for a text, NaN, infinity or one out of bounds."""
    try:
        found = math.nan if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        found = math.nan
    if not {"": math.isfinite(found), " > 0": 0 < found < math.inf, " >= 0": 0 <= found < math.inf}[bound]:
        raise MethodError(f"{name} is a finite number{bound}, not {value!r}")
    return found


def check_kinds(model: object, optimizer: object, probe: object) -> None:
    """Raise MethodError for a model, an optimizer of `methods.core.optimizers` or a probe that is something else."""
    if not isinstance(model, torch.nn.Module):
        raise MethodError(
            f"SparseOptimizer takes the model itself, not an object of type {type(model).__name__}; write "
            "SparseOptimizer(model, ...), not model.parameters(), and learning rates of parts as groups=[...]"
        )
    if isinstance(optimizer, type) or not (optimizer is None or hasattr(optimizer, "lr_gain")):
        raise MethodError(f"optimizer is Sgd(...) or Adam(...) of methods.core.optimizers, not {optimizer!r}")
    if not (probe is None or callable(probe)):
        raise MethodError(
            f"probe is a function that returns the loss on a new batch at each call, not {type(probe).__name__}"
        )


def check_numbers(
    steps: int, lr: float, other_lr: float, rates: Sequence[float] | None, weight_decay: float, seed: int
) -> None:
    """Raise MethodError for a number of steps, a learning rate, a weight decay or a seed that cannot be."""
    if not (isinstance(steps, Integral) and steps >= 1):
        raise MethodError(f"steps is a whole number >= 1, not {steps!r}")
    number("lr", lr, " > 0")
    number("other_lr", other_lr, " >= 0")
    number("weight_decay", weight_decay, " >= 0")
    if not (isinstance(seed, Integral) and -(2**63) <= seed < 2**63):
        raise MethodError(f"seed is a whole number of 64 bits, not {seed!r}")
    if rates is None:
        return
    if not hasattr(rates, "__len__") or len(rates) != steps:
        found = f"{len(rates):,}" if hasattr(rates, "__len__") else repr(rates)
        raise MethodError(f"rates has one learning rate for each of the {steps:,} steps, not {found}")
    for rate in rates:
        number("a learning rate in rates", rate, " >= 0")
    if not any(rates):
        raise MethodError("rates has a learning rate > 0 for one step or more, not zero for all")


def check_plan(plan: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Raise MethodError unless a state of an optimizer was made under the same plan."""
    if "plan" not in state:
        raise MethodError("this is no state of a SparseOptimizer; save optimizer.state_dict()")
    for name, value in plan.items():
        saved = state["plan"][name]
        saved = plain_name(saved) if isinstance(saved, str) else saved
        if saved != value:
            if name == "pruned weights":
                saved, value = _first_difference(saved, value)
            raise MethodError(f"the state is of {name} {saved}, and this optimizer has {value}")


def _first_difference(saved: str, value: str) -> tuple[str, str]:
    """Return the first weights with their shapes in which two lists differ; a network may have hundreds."""
    lists = (re.findall(r"\S+ \[.*?\]", text) for text in (saved, value))
    return next((one, two) for one, two in zip_longest(*lists, fillvalue="no further one") if one != two)


def cosine_rates(lr: float, steps: int) -> list[float]:
    """Return the learning rate of every step under CosineAnnealingLR(optimizer, steps)."""
    return [lr * (1 + math.cos(math.pi * step / steps)) / 2 for step in range(steps)]


def with_value(method: Method, given: dict[str, float | None], rates: float) -> tuple[Method, float]:
    """Return the method and its value; `rates` is the sum of learning rates that makes a strength of a penalty."""
    value = value_of(method, given)
    if method.knob != "strength" or given["penalty"] is None:
        return method, value
    if "by" in method.__dataclass_fields__:
        return replace(method, **{"by": "penalty"}), value
    return method, value * rates


def value_of(method: Method, given: dict[str, float | None]) -> float:
    """Return the value that was given under a name that fits the method; a method without a knob has the value 1."""
    fitting = [] if method.knob == "none" else [method.knob]
    if method.knob == "strength" and method.inner is None:  # an inner method has a budget of its own
        fitting.append("penalty")
    named = {name: number(name, value) for name, value in given.items() if value is not None}
    if len(named) != min(len(fitting), 1) or not set(named) <= set(fitting):
        takes = " or ".join(fitting) or "no value"
        raise MethodError(f"{method} takes {takes}, not {' and '.join(named) or 'nothing'}")
    return next(iter(named.values()), 1.0)
