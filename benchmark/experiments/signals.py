"""The experiments on MNIST-1D."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from benchmark.experiments.experiment import Experiment
from benchmark.experiments.registry import experiment
from benchmark.experiments.search import chosen_pairs, search, sobol_pairs

DENSITIES = (0.005, 0.5)  # milder than those of `search`, since the perceptron is small


@experiment
def search_mnist1d() -> Experiment:
    """Try each method on MNIST-1D at 24 pairs of learning rate and value, with one seed that no result reports.

    The protocol is that of `search`, with densities from 0.005 to 0.5 and fewer methods. An hour on two cores.
    """
    return replace(
        search(),
        tasks=("mlp-mnist1d",),
        methods=(
            *("dense", "dwf[depth=2,by=penalty]", "dwf[depth=3,by=penalty]", "dwf[depth=4,by=penalty]"),
            *("rewa", "prox-l1", "prox-lq[q=2/3]", "gmp", "magnitude", "rigl", "snip", "synflow"),
            "random[distribution=erk]",
        ),
        pairs=partial(sobol_pairs, densities=DENSITIES),
        epochs=None,
    )


@experiment
def mnist1d() -> Experiment:
    """Compare families on MNIST-1D, where a perceptron can gain from sparsity, on eight seeds.

    The pairs of learning rate and value are those that `search-mnist1d` chose for each method. Greydanus & Kobak
    (ICML 2024) prune by magnitude with rewinding, layer by layer, which is not among the methods: 65.6 % dense, 75.0 %
    at a density of 0.08, 41.7 % at 0.01. An hour on two cores. Expected: RigL above dense up to a compression of 50.
    """
    return replace(search_mnist1d(), pairs=partial(chosen_pairs, search="search-mnist1d"), seeds=tuple(range(8)))


@experiment
def strengths_mnist1d() -> Experiment:
    """Train DWF on MNIST-1D at five strengths and its default learning rate, which no search on this task chose.

    It shows what 24 trials missed: the range of lambda that makes DWF sparse is narrow. Ten minutes on two cores.
    """
    return Experiment(
        tasks=("mlp-mnist1d",),
        methods=("dwf[depth=2]", "dwf[depth=3]", "dwf[depth=4]"),
        values={"strength": (6.5, 7.5, 9.0, 12.0, 18.0)},
        smoke_methods=("dense", "dwf[depth=3]"),  # in 20 steps on synthetic data DWF diverges, so it has no front
    )
