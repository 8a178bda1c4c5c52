"""The time between two updates of a mask, as a share of the budget."""

from __future__ import annotations

from methods.core.probe import Probe

INTERVAL = 0.01


def steps_between(interval: float, probe: Probe) -> int:
    """Return the number of steps between two updates, at least one."""
    return max(1, round(interval * probe.learning_rates.shape[1]))
