"""The experiments on MNIST-1D."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from benchmark.experiments.experiment import Experiment
from benchmark.experiments.registry import experiment
from benchmark.experiments.search import search, sobol_pairs

DENSITIES = (0.005, 0.5)  # milder than those of `search`: the perceptron is small and gains from pruning


@experiment
def search_mnist1d() -> Experiment:
    """Try every method on MNIST-1D at 24 pairs of learning rate and value, with one seed that no result reports.

    The protocol is that of `search`, with densities from 0.005 to 0.5. An hour on two cores.
    """
    return replace(
        search(),
        tasks=("mlp-mnist1d",),
        methods=(
            *("dense", "dwf[depth=2,by=penalty]", "dwf[depth=3,by=penalty]", "dwf[depth=4,by=penalty]"),
            *("rewa", "prox-l1", "prox-lq[q=2/3]", "deephoyer", "magnitude", "gmp", "gmp[score=lamp]"),
            *("imp[rounds=4]", "admm", "iht", "rigl", "snip", "synflow", "random[distribution=erk]", "sign-in"),
        ),
        pairs=partial(sobol_pairs, densities=DENSITIES),
        epochs=None,
    )


@experiment
def mnist1d() -> Experiment:
    """Compare all families on MNIST-1D, where a sparse perceptron is more accurate than a dense one, on eight seeds.

    Greydanus & Kobak (ICML 2024) prune by magnitude with rewinding, layer by layer: 65.6 % dense, 75.0 % at a density
    of 0.08, 41.7 % at 0.01. No learning rate was searched: all methods have the task's 0.1, except dwf with 0.4. A few
    seconds a run, an hour on two cores. Expected: a peak near a density of 0.1, and a collapse at 0.01.
    """
    return Experiment(
        tasks=("mlp-mnist1d",),
        methods=(
            *("dense", "dwf[depth=2]", "dwf[depth=3]", "dwf[depth=4]", "rewa", "prox-lq[q=2/3]", "deephoyer"),
            *("magnitude", "gmp", "gmp[score=lamp]", "imp[rounds=4]", "admm", "iht", "rigl", "snip", "synflow"),
            *("random[distribution=erk]", "sign-in"),
        ),
        values={
            "density": (0.5, 0.2, 0.1, 0.05, 0.02, 0.01),
            "strength": (6.5, 7.5, 9.0, 12.0, 18.0),
            "prox-lq": (3e-5, 1e-4, 3e-4, 1e-3, 3e-3),
            "rewa": (1e-3, 1.9e-3, 2e-3, 2.2e-3, 3e-3),  # between 1e-3 and 2.2e-3 CR goes from 1 to 100
        },
        seeds=tuple(range(8)),
    )
