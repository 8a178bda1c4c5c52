"""Experiments that compare the fronts of methods on one task."""

from __future__ import annotations

from benchmark.experiments.experiment import Experiment
from benchmark.experiments.registry import EXPERIMENTS, experiment, get_experiment
from benchmark.tasks.registry import TASKS, get_task

DENSITIES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
# Weights reach float32's epsilon from a strength of about 6 on.
STRENGTHS = (6.0, 6.5, 7.0, 8.0, 10.0, 14.0, 20.0)


@experiment
def quickstart() -> Experiment:
    """Compare how much accuracy methods keep at which compression: a first answer, on handwritten digits.

    Two or three minutes on two cores. Expected: dense at 98 %, every method far above chance at CR 10, dwf at
    depths 2 and 3 ahead at CR 100. The budget is short for float32's epsilon, so |w| < 1e-4 counts as zero here.
    """
    return Experiment(
        tasks=("lenet300-digits",),
        methods=(
            "dense",
            "dwf[depth=2,threshold=0.0001]",
            "dwf[depth=3,threshold=0.0001]",
            "dwf[depth=4,threshold=0.0001]",
            "magnitude",
            "random",
            "snip",
        ),
        values={"density": DENSITIES[:-1], "strength": (3.2, 3.5, 4.0, 5.0, 8.0, 12.0)},
    )


def grid(task: str) -> Experiment:
    """Return the grid for a pair of network and data set: the paper's methods, and those that its reviewers missed."""
    return Experiment(
        tasks=(task,),
        methods=(
            *("dense", "dwf[depth=2]", "dwf[depth=3]", "dwf[depth=4]", "magnitude", "snip", "synflow"),
            *("random[distribution=erk]", "gmp", "magnitude[finetune=0]"),
        ),
        values={"density": DENSITIES, "strength": STRENGTHS},
    )


def experiment_or_grid(name: str) -> Experiment:
    """Return the experiment of a name, or the grid for a task of that written form."""
    if name not in EXPERIMENTS and (name in TASKS or any(sign in name for sign in "[:")):
        get_task(name)  # raises for a form that names no task
        return grid(name)
    return get_experiment(name)


@experiment
def lenet300_mnist() -> Experiment:
    """DWF against pruning on the paper's smallest network, MNIST.

    Two hours on two cores. Expected: the same order of methods as on Fashion-MNIST. Not measured yet.
    """
    return grid("lenet300-mnist")


@experiment
def lenet300_fmnist() -> Experiment:
    """DWF against pruning on the paper's smallest network, Fashion-MNIST.

    Two hours on two cores, a third of it for `--seeds 0`. Expected: dense at 89 to 90 %.
    """
    return grid("lenet300-fmnist")
