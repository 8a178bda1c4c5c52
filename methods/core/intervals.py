"""The time between two updates of a mask, as a share of the budget."""

from __future__ import annotations

from methods.core.probe import Probe
from methods.core.registry import MethodError

INTERVAL = 0.01


def check_interval(method: str, interval: float) -> None:
    """Raise MethodError unless the interval is a share of the budget."""
    if not 0 < interval <= 1:
        raise MethodError(f"the interval of {method} is a share of the budget in (0, 1], not {interval:g}")


def steps_between(interval: float, probe: Probe) -> int:
    """Return the number of steps between two updates, at least one."""
    return max(1, round(interval * len(probe.learning_rates)))
