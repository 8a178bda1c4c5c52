"""The learning rate of every step."""

from __future__ import annotations

import itertools
import math


def schedule(phases: tuple[float, ...], steps: int, peak_lr: float, warmup: float) -> list[list[float]]:
    """The learning rate of every step, a list for each phase: a linear rise, then a cosine down to zero.

    Phases are shares of a budget of `steps`; those of methods that take more add up to more than one.
    """
    edges = [round(steps * sum(phases[:i])) for i in range(len(phases) + 1)]
    rates = []
    for start, stop in itertools.pairwise(edges):
        length = stop - start
        rising = round(warmup * length)
        rise = [peak_lr * (t + 1) / (rising + 1) for t in range(rising)]
        fall = [peak_lr * (1 + math.cos(math.pi * t / (length - rising))) / 2 for t in range(length - rising)]
        rates.append(rise + fall)
    return rates
