"""The learning rate of every step."""

from __future__ import annotations

import itertools
import math

from methods.core.driver import phase_edges


def schedule(phases: tuple[float, ...], budget: int, peak_lr: float, warmup: float) -> list[list[float]]:
    """Return the learning rates of each phase: a linear rise over the share `warmup`, then a cosine down to zero.

    Phases are shares of a budget of steps; those of a method that takes several budgets have a sum above one.
    """
    rates = []
    for start, stop in itertools.pairwise(phase_edges(phases, budget)):
        length = stop - start
        rising = round(warmup * length)
        rise = [peak_lr * (t + 1) / (rising + 1) for t in range(rising)]
        fall = [peak_lr * (1 + math.cos(math.pi * t / (length - rising))) / 2 for t in range(length - rising)]
        rates.append(rise + fall)
    return rates
