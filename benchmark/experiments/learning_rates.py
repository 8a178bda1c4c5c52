"""The searches of learning rates: as many trials for every method, one table of choices for the recipes."""

from __future__ import annotations

from dataclasses import replace

from benchmark.experiments.experiment import Experiment
from benchmark.experiments.factorization import DEPTHS
from benchmark.experiments.fronts import grid, quickstart
from benchmark.experiments.registry import experiment

RATES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
# One variant of each method that needs its own learning rate; the options of a mask hardly change it.
VARIANTS = (
    *("dense", "dwf[depth=2]", "dwf[depth=3]", "dwf[depth=4]", "l1", "prox-l1", "prox-lq[q=2/3]", "prox-lq[q=1/2]"),
    *("str", "magnitude", "powerprop", "ham", "gmp", "acdc", "imp[rounds=1]", "set", "rigl", "snip", "synflow"),
    *("grasp", "magnitude-init", "random"),
)


@experiment
def learning_rate() -> Experiment:
    """Find the learning rate of each depth: a grid of learning rates and strengths, the same for every depth.

    The report chooses by hypervolume on validation data and writes learning_rates.csv, which the recipes of
    lenet300-fmnist and -mnist follow. An hour on two cores. Expected: learning rates well above dense training's, and
    the deeper the product, the smaller the largest one that does not diverge.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=("dense", *DEPTHS),
        values={"strength": (6.0, 7.0, 8.0, 12.0, 20.0)},
        learning_rates=RATES,
        seeds=(0,),
        epochs=10,
    )


@experiment
def learning_rate_digits() -> Experiment:
    """Find the learning rate of each method of quickstart, with as many trials for every method.

    The report chooses by hypervolume on validation data and writes learning_rates.csv, which the recipe of
    lenet300-digits follows. Five minutes on two cores.
    """
    values = {"density": (0.2, 0.05, 0.02, 0.01), "strength": (3.5, 5.0, 8.0, 12.0)}
    return replace(quickstart(), values=values, learning_rates=RATES, seeds=(0,))


@experiment
def learning_rate_families() -> Experiment:
    """Find the learning rate of each method, with as many trials for each: one mild and one strong value.

    The report chooses by hypervolume on validation data and writes learning_rates.csv, which the recipes of
    lenet300-fmnist and -mnist follow. An hour on two cores.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=VARIANTS,
        values={
            "density": (0.05, 0.01),
            "strength": (7.0, 12.0),
            "prox-l1": (1e-3, 1e-2),
            "prox-lq": (1e-4, 4e-4),
            "str": (3.0, 8.0),
        },
        learning_rates=(0.05, 0.1, 0.2, 0.4, 0.8, 1.6),
        seeds=(0,),
        epochs=10,
    )


@experiment
def learning_rate_lenet5() -> Experiment:
    """Find the learning rate of each method on a convolutional network, with as many trials for every method.

    The report chooses by hypervolume on validation data and writes learning_rates.csv, which the recipes of LeNet-5
    follow. Half an hour on two cores.
    """
    some, rates = {"density": (0.05, 0.01), "strength": (6.5, 9.0)}, (0.05, 0.1, 0.2, 0.4, 0.8)
    return replace(grid("lenet5-fmnist"), precision="bf16", values=some, learning_rates=rates, seeds=(0,), epochs=5)


@experiment
def learning_rate_lenet5_dwf() -> Experiment:
    """Find the learning rate of factorization on LeNet-5, whose factors move as fast as dense weights would.

    Three of the five learning rates that the other methods had in learning-rate-lenet5, on the same seed, in float32:
    dense training fails at the larger two. Half an hour on two cores. Expected: dense training's own learning rate.
    """
    methods = ("dense", "dwf[depth=2]", "dwf[depth=3]", "dwf[depth=4]")
    return replace(learning_rate_lenet5(), methods=methods, learning_rates=(0.05, 0.1, 0.2), precision="float32")


@experiment
def learning_rate_resnet20() -> Experiment:
    """Train DWF on ResNet-20 at two learning rates above its recipe's 0.1, which `resnet20-short` has.

    Six epochs, like there. Ten minutes on two cores that compute in bf16. Expected: more accuracy at equal compression.
    """
    return Experiment(
        tasks=("resnet20-cifar10",),
        methods=("dwf[depth=3]",),
        values={"strength": (6.5,)},
        learning_rates=(0.2, 0.4),
        seeds=(0,),
        epochs=6,
        precision="bf16",
    )
