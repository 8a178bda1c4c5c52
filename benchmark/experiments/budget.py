"""Experiments on the budget: who profits from training longer."""

from __future__ import annotations

from dataclasses import replace

from benchmark.experiments.experiment import Experiment, Pairs
from benchmark.experiments.registry import experiment
from benchmark.tasks.registry import get_task
from methods.core.base import Method


@experiment
def budget() -> Experiment:
    """Compare fronts after 10, 30, 100 and 300 epochs, at one learning rate for each method.

    Penalties are given by lambda, so all budgets pose one problem; at one strength a longer training has a smaller
    lambda. The longest runs come last. Half a day on two cores, a third of it up to 100 epochs; `--epochs 30 --seeds 0`
    takes twenty minutes. Found (docs/findings/budget.md): after 100 epochs the strict zero meets the validated one, in
    one seed, and after 300 depth 3 is below gradual magnitude pruning at 20 and above it at 300, in three.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=(
            *("dense", "dwf[depth=2,by=penalty]", "dwf[depth=3,by=penalty]", "dwf[depth=4,by=penalty]"),
            *("prox-lq[q=2/3]", "prox-lq[q=1/2]", "gmp", "powerprop", "rigl"),
        ),
        values={
            "density": (0.05, 0.01, 0.003),
            "dwf": (1.5e-5, 3e-5, 6e-5, 1.2e-4, 2.4e-4, 4.8e-4),
            "prox-lq": (2e-5, 5e-5, 1.2e-4, 2.8e-4, 6e-4),
        },
        budgets=(10, 30, 100, 300),
    )


@experiment
def learning_rate_budget() -> Experiment:
    """Train for 300 epochs at a half and a quarter of the learning rates of `budget`, which suit 30 epochs.

    Two values of each method, as many for DWF as for gradual magnitude pruning. Half an hour on two cores. Found:
    depth 3 stays below gradual magnitude pruning at a compression of 20.
    """
    return replace(
        budget(), methods=("dwf[depth=3,by=penalty]", "gmp", "dwf[depth=2,by=penalty]"), values={}, pairs=lower_rates,
        seeds=(0,), epochs=300, budgets=(),
    )  # fmt: skip


def lower_rates(method: Method) -> Pairs:
    """Return a half and a quarter of the recipe's learning rate, each with two values of the method's knob."""
    recipe = get_task("lenet300-fmnist").learning_rate_of(method)
    values = (0.05, 0.01) if method.knob == "density" else (1.5e-5, 6e-5)
    return [(recipe / share, value) for share in (2, 4) for value in values]
