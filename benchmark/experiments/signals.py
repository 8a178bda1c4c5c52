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

    The protocol is that of `search`, with densities from 0.005 to 0.5. A run of `imp[rounds=4]` costs five budgets. An
    hour on two cores.
    """
    return replace(
        search(),
        tasks=("mlp-mnist1d",),
        methods=(
            *("dense", "dwf[depth=2,by=penalty]", "dwf[depth=3,by=penalty]", "dwf[depth=4,by=penalty]"),
            *("rewa", "prox-l1", "prox-lq[q=2/3]", "gmp", "magnitude", "rigl", "snip", "synflow"),
            *("random[distribution=erk]", "gmp[score=lamp]", "sign-in", "iht", "admm", "deephoyer", "imp[rounds=4]"),
        ),
        pairs=partial(sobol_pairs, densities=DENSITIES),
        epochs=None,
    )


@experiment
def mnist1d() -> Experiment:
    """Compare families on MNIST-1D, where a perceptron can gain from sparsity, on eight seeds.

    The pairs of learning rate and value are those that `search-mnist1d` chose for each method. A run of `imp[rounds=4]`
    costs five budgets. An hour on two cores. Expected: RigL above dense up to a compression of 50.
    """
    return replace(search_mnist1d(), pairs=partial(chosen_pairs, search="search-mnist1d"), seeds=tuple(range(8)))


@experiment
def rewinding_mnist1d() -> Experiment:
    """Prune by magnitude with rewinding on MNIST-1D, as published, at a learning rate where dense is bad.

    Greydanus & Kobak (ICML 2024) prune each layer alike, rewind to the first weights and train with Adam: 65.6 % dense,
    75.0 % at a density of 0.08, 41.7 % at 0.01, and 61.2 % at 0.08 with random masks. This is SGD at 0.06, where a
    dense network is about as good, and a fifth of the weights in a round, not a hundredth of the network. Twenty
    minutes on two cores. Found: the best density is 0.08, five points above dense; at 0.01 it is below dense.
    """
    return Experiment(
        tasks=("mlp-mnist1d",),
        methods=("dense", "imp[point=0,distribution=uniform]", "random[distribution=uniform]"),
        values={"density": (0.5, 0.2, 0.08, 0.04, 0.02, 0.01)},
        learning_rates=(0.06,),
        seeds=tuple(range(5)),
        smoke_methods=("dense", "random[distribution=uniform]"),
    )


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
