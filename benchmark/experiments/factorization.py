"""Experiments on factorization itself: initializations, depths, dynamics, layers."""

from __future__ import annotations

from benchmark.experiments.experiment import Experiment
from benchmark.experiments.initial_weights import write_densities
from benchmark.experiments.registry import experiment

DEPTHS = tuple(f"dwf[depth={depth}]" for depth in (1, 2, 3, 4, 6, 8))


@experiment
def init() -> Experiment:
    """Compare the initializations of factors at depths 2, 3 and 4, and their weights before training.

    Ten minutes on two cores.
    """
    drawn = tuple(f",init=truncated{option}" for option in ("", ",rescale=true", ",epsilon=0"))
    schemes = ("", *drawn, ",init=variance", ",init=standard", ",init=root", ",init=ones")
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=tuple(f"dwf[depth={depth}{scheme}]" for scheme in schemes for depth in (2, 3, 4)),
        values={"strength": (8.0,)},
        epochs=10,
        extra_outputs=write_densities,
    )


@experiment
def recipe() -> Experiment:
    """Measure what matched learning rates are worth at depths 2 to 4, against the rates and start of the paper.

    A quarter of an hour on two cores. Expected: all depths train at one learning rate, and depth 3 better than with
    equal rates.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=(*DEPTHS[1:4], "dwf[depth=3,init=truncated,rates=equal]"),
        values={"strength": (8.0, 12.0)},
        epochs=10,
    )


@experiment
def depth() -> Experiment:
    """Compare depths: fronts of factorization at depths 1 to 8, and of depths 2 and 3 with many small weights at first.

    Fifty minutes on two cores. Expected: depth 1 makes almost no zeros, except at inputs without data.
    """
    small = ("dwf[depth=2,init=truncated,epsilon=0]", "dwf[depth=3,init=truncated,epsilon=0]")
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=("dense", *DEPTHS, *small),
        values={"strength": (6.5, 7.0, 8.5, 13.0, 25.0)},
        epochs=20,
    )


@experiment
def dynamics() -> Experiment:
    """Follow a factorized network over the epochs: when it becomes sparse, and how its accuracy changes meanwhile.

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
    """Compare how methods distribute the weights they keep over the layers, and find those that empty a layer.

    A quarter of an hour on two cores. Expected: pruning keeps the last layer and empties the first, SNIP completely;
    factorization thins the last layer too.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=("dwf[depth=2]", "dwf[depth=3]", "magnitude", "snip", "synflow"),
        values={"density": (0.1, 0.03, 0.01, 0.002), "strength": (6.5, 8.0, 12.0, 25.0)},
        epochs=10,
    )


@experiment
def misalignment() -> Experiment:
    """Test the theory of alignment: the imbalance of factors against its predicted decay.

    Five minutes on two cores. Found: all starts, depths and strengths lie on one line until a thousandth is left; then
    large weights, which matched rates slow, balance last.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=(*DEPTHS[1:4], "dwf[depth=3,init=ones]"),
        values={"strength": (3.0, 10.0)},
        epochs=10,
    )
