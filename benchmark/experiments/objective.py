"""An experiment on penalties that share an objective: which method reaches its lowest value."""

from __future__ import annotations

from benchmark.experiments.experiment import Experiment
from benchmark.experiments.registry import experiment


@experiment
def objective() -> Experiment:
    """Compare the objective, training loss + lambda sum |w|^q, that methods of one q reach at one lambda and budget.

    By theory the factors of depth D have the minima of q = 2 / D. Each method has three learning rates, and the figure
    takes the one of lowest objective. Six hours on two cores. Expected: not known.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=(
            "dense",
            *("dwf[depth=2,by=penalty]", "prox-l1", "l1[by=penalty]", "pwd[p=1]", "rewa[m=1]"),
            *("dwf[depth=3,by=penalty]", "prox-lq[q=2/3]", "pwd[p=0.6666667]", "rewa[m=4]"),
            *("dwf[depth=4,by=penalty]", "prox-lq[q=1/2]", "pwd[p=0.5]", "rewa[m=5.5]"),
        ),
        values={"penalty": (2e-5, 6e-5, 2e-4, 6e-4, 2e-3)},
        learning_rates=(0.1, 0.2, 0.4),
        epochs=30,
    )
