"""What deep weight factorization does: rates, starts, depths, dynamics, layers."""

from __future__ import annotations

from dataclasses import replace

from benchmark.experiments.experiment import Experiment
from benchmark.experiments.fronts import quickstart
from benchmark.experiments.initial_weights import write_densities
from benchmark.experiments.registry import experiment

DEPTHS = tuple(f"dwf[depth={depth}]" for depth in (1, 2, 3, 4, 6, 8))


RATES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


@experiment
def learning_rate() -> Experiment:
    """Which learning rate does each depth want? A grid of rates and strengths, the same for every depth.

    Its report writes learning_rates.csv: the choice, by hypervolume on validation data, that the recipes of
    lenet300-fmnist and -mnist name. An hour on two cores. Expected: rates well above dense training's, the deeper the
    product the less of them it bears.
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
    """Which learning rate does each method of quickstart want? As many trials for every method.

    Its report writes learning_rates.csv: the choice, by hypervolume on validation data, that the recipe of
    lenet300-digits names. Five minutes on two cores.
    """
    grid = quickstart()
    values = {"density": (0.2, 0.05, 0.02, 0.01), "strength": (3.5, 5.0, 8.0, 12.0)}
    return replace(grid, values=values, learning_rates=RATES, seeds=(0,))


@experiment
def init() -> Experiment:
    """How should the factors start? Every initialization at depths 2, 3 and 4, and their weights before training.

    Ten minutes on two cores.
    """
    schemes = ("", ",rescale=true", ",epsilon=0", ",init=variance", ",init=standard", ",init=root", ",init=ones")
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=tuple(f"dwf[depth={depth}{scheme}]" for scheme in schemes for depth in (2, 3, 4)),
        values={"strength": (8.0,)},
        epochs=10,
        extra_outputs=write_densities,
    )


@experiment
def depth() -> Experiment:
    """Does depth pay? Fronts of factorization at depths 1 to 8, each at its own learning rate.

    Forty minutes on two cores. Expected: depth 1 makes next to no zeros but where no data is seen.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=("dense", *DEPTHS),
        values={"strength": (6.5, 7.0, 8.5, 13.0, 25.0)},
        epochs=20,
    )


@experiment
def dynamics() -> Experiment:
    """When does a factorized network become sparse, and what happens to its accuracy meanwhile? Curves over epochs.

    Ten minutes on two cores.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=DEPTHS[1:4],
        values={"strength": (7.0, 10.0, 20.0)},
        epochs=10,
    )


@experiment
def layers() -> Experiment:
    """How do methods share their weights out among layers, and which of them empties one?

    A quarter of an hour on two cores. Expected: pruning keeps the last layer and starves the first, SNIP until it is
    empty; factorization thins the last one too.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=("dwf[depth=2]", "dwf[depth=3]", "magnitude", "snip", "synflow"),
        values={"density": (0.1, 0.03, 0.01, 0.002), "strength": (6.5, 8.0, 12.0, 25.0)},
        epochs=10,
    )


@experiment
def misalignment() -> Experiment:
    """Do the factors of a weight align as theory says? Their imbalance against its predicted decay.

    Five minutes on two cores. Expected: from any start, and at any depth and strength, all runs on one line.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=(*DEPTHS[1:4], "dwf[depth=3,init=ones]"),
        values={"strength": (3.0, 10.0)},
        epochs=10,
    )
