"""The experiments on LeNet-5 with a learning rate for every value."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from benchmark.experiments.experiment import Experiment, Pairs
from benchmark.experiments.registry import experiment
from benchmark.experiments.search import chosen_pairs, search, sobol_pairs
from benchmark.tasks.registry import get_task
from methods.core.base import Method

TRIALS = 12
LEARNING_RATES = (0.025, 0.4)  # the largest at which dense training still learns is near 0.3
DENSITIES = (0.002, 0.1)
PENALTIES = {"dwf": (1.5e-5, 6e-4), "prox-lq": (1.5e-5, 6e-4)}
# With the validated zero the chosen pairs of depth 3 leave compressions from 50 to 550 out, those of gmp 71 to 307.
BETWEEN = {"dwf": (1e-4, 1.5e-4, 2e-4), "gmp": (0.005,)}


@experiment
def search_lenet5() -> Experiment:
    """Try six methods on LeNet-5 at 12 pairs of learning rate and value, with one seed that no result reports.

    The protocol is that of `search`, with half of its trials and half of the task's epochs. Forty minutes on two cores
    that compute in bf16.
    """
    return replace(
        search(),
        tasks=("lenet5-fmnist",),
        methods=(
            *("gmp", "dwf[depth=3,by=penalty]", "dwf[depth=2,by=penalty]", "prox-lq[q=2/3]"),
            *("dwf[depth=4,by=penalty]", "dense"),
        ),
        pairs=partial(
            sobol_pairs, trials=TRIALS, learning_rates=LEARNING_RATES, densities=DENSITIES, penalties=PENALTIES
        ),
        epochs=10,
        precision="bf16",
    )


@experiment
def families_lenet5() -> Experiment:
    """Compare DWF, its penalty and pruning on LeNet-5 at the pairs that `search-lenet5` chose, on three new seeds.

    Values between them, which were not searched, have the task's learning rate. All of the task's 20 epochs. Two and a
    half hours on two cores that compute in bf16, a third of it for `--seeds 0`.
    """
    return replace(search_lenet5(), pairs=closer_pairs, seeds=(0, 1, 2), epochs=20)


def closer_pairs(method: Method) -> Pairs:
    """Return the chosen pairs of a method, and values between them at the learning rate that the task has for it.

    Raises UsageError for a method that was not searched.
    """
    learning_rate = get_task("lenet5-fmnist").learning_rate_of(method)
    between = [(learning_rate, value) for value in BETWEEN.get(method.name, ())]
    return [*chosen_pairs(method, search="search-lenet5"), *between]
