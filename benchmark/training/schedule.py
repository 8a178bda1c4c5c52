"""The learning rate of every step."""

from __future__ import annotations

import itertools
import math

import torch

from methods.core.driver import phase_edges


def schedules(phases: tuple[float, ...], budget: int, peaks: list[float], warmup: float) -> torch.Tensor:
    """Return the learning rates of R runs with these peaks, [R, steps] in float64."""
    rows = [itertools.chain.from_iterable(schedule(phases, budget, peak, warmup)) for peak in peaks]
    return torch.tensor([list(row) for row in rows], dtype=torch.float64)


def by_step(learning_rates: torch.Tensor, device: torch.device) -> list[float] | torch.Tensor:
    """Return the learning rate of each step: a number if all runs have the same, else those of the runs, [R, 1]."""
    if bool((learning_rates == learning_rates[0]).all()):
        return learning_rates[0].tolist()
    return learning_rates.T.unsqueeze(-1).to(device, torch.float32)


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
