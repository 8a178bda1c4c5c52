"""Experiments on all families of sparse training."""

from __future__ import annotations

from dataclasses import replace

from benchmark.experiments.experiment import Experiment, Pairs
from benchmark.experiments.registry import experiment
from benchmark.experiments.search import chosen_pairs, search
from methods.core.base import Method

# Penalties go as far as a compression of 1,000, the searched densities to 500.
FAR_DENSITIES = (0.001, 0.0005)


@experiment
def families() -> Experiment:
    """Compare families at the pairs of learning rate and value that `search` chose for each method, on eight new seeds.

    Masks also run at compressions of 1,000 and 2,000, which were not searched. Small dense networks with as few weights
    are included. Nine hours on two cores. Found (docs/findings/families.md): DWF, proximal steps and p-norm
    weight decay are above gradual magnitude pruning from a compression of 200 on.
    """
    return replace(search(), pairs=farther_pairs, seeds=tuple(range(8)), dense_widths=families_grid().dense_widths)


@experiment
def families_mnist() -> Experiment:
    """Compare families at the pairs that `search` chose, on MNIST, where nothing was chosen, with five seeds.

    Four hours on two cores. Expected: the order of `families`.
    """
    return replace(families(), tasks=("lenet300-mnist",), seeds=tuple(range(5)))


def farther_pairs(method: Method) -> Pairs:
    """Return the chosen pairs of a method, and for masks that reach a density of 1 % two smaller densities.

    The smaller densities have the learning rate of the sparsest chosen pair. Raises UsageError for a method that was
    not searched.
    """
    pairs = chosen_pairs(method)
    learning_rate, sparsest = min(pairs, key=lambda pair: pair[1])
    if method.knob != "density" or sparsest > 0.01:
        return pairs
    return [*pairs, *((learning_rate, density) for density in FAR_DENSITIES)]


@experiment
def families_grid() -> Experiment:
    """Compare all families on one grid: penalties, pruning before, during and after training, dynamic masks.

    Small dense networks with as few weights are included. Three hours on two cores. Expected: at high compression
    gradual magnitude above one-shot, one-shot above SNIP, SNIP above random; RigL above a static random mask; magnitude
    at initialization collapses early.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=(
            *("dense", "dwf[depth=2]", "dwf[depth=3]", "dwf[depth=4]", "l1", "l1[penalty_weight=0.001]", "prox-l1"),
            *("prox-lq[q=2/3]", "prox-lq[q=1/2]", "str", "magnitude", "magnitude[finetune=0]", "powerprop", "ham"),
            *("gmp", "acdc", "set", "rigl", "snip", "snip[iterations=100]", "synflow", "grasp", "magnitude-init"),
            *("random", "random[distribution=erk]", "control[mask=magnitude,kind=shuffle]"),
            *("control[mask=magnitude,kind=reinit]", "imp[rounds=3]"),
        ),
        values={
            "density": (0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002),
            "strength": (6.5, 7.0, 8.5, 11.0, 16.0, 25.0),
            "prox-l1": (3e-4, 1e-3, 3e-3, 7e-3, 1e-2, 2e-2),
            "prox-lq": (3e-5, 1e-4, 2e-4, 4e-4, 1e-3, 3e-3),
            "str": (1.5, 3.0, 5.0, 8.0, 16.0, 32.0),
        },
        dense_widths=(0.21, 0.11, 0.055, 0.022, 0.011),  # at CR 5, 10, 21, 48 and 113
    )


@experiment
def families_grid_mnist() -> Experiment:
    """Compare all families on one grid: the same on MNIST, at Fashion-MNIST's learning rates.

    Three hours on two cores. Expected: the order of `families-grid`; dense at 98.4 to 98.7 %.
    """
    grid = families_grid()
    values = {**grid.values, "density": (0.2, 0.05, 0.02, 0.01, 0.005, 0.002)}
    return replace(grid, tasks=("lenet300-mnist",), values=values)


@experiment
def strong_penalties() -> Experiment:
    """Train strong proximal penalties at half of their usual learning rate.

    The search used weaker penalties and chose 0.2. At this learning rate some runs of `families-grid` collapse in
    mid-training, when a few weights carry all. Ten minutes on two cores. Expected: no run collapses.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=("prox-lq[q=2/3]", "prox-lq[q=1/2]"),
        values={"penalty": (4e-4, 1e-3, 3e-3)},
        learning_rates=(0.1,),
    )
