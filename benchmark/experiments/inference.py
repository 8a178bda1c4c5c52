"""The experiments whose networks are timed."""

from __future__ import annotations

from dataclasses import replace

from benchmark.experiments.experiment import Experiment
from benchmark.experiments.registry import experiment


@experiment
def inference() -> Experiment:
    """Make networks of CR 2 to 500 whose latency is measured: where do methods leave zeros, and dead units?

    The budget is short, so accuracies are no result. Three hours on two cores. Expected: dead units pay most.
    """
    return Experiment(
        tasks=("lenet300-fmnist", "lenet5-fmnist", "resnet20-cifar10"),
        methods=("dense", "dwf[depth=3]", "gmp", "magnitude", "snip", "random[distribution=erk]"),
        values={"density": (0.5, 0.1, 0.02, 0.01, 0.002), "strength": (6.0, 6.7, 8.0, 9.0, 13.0)},
        seeds=(0,),
        epochs=5,
        smoke_methods=("dense", "gmp"),
    )


@experiment
def inference_threads() -> Experiment:
    """Make the networks of LeNet-300-100 of `inference` with another seed, to time them on several threads.

    Two minutes on two cores. Expected: the order of forms on one thread.
    """
    return replace(inference(), tasks=("lenet300-fmnist",), seeds=(1,))
