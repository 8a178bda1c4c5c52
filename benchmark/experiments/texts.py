"""The experiment on a text."""

from __future__ import annotations

from benchmark.experiments.experiment import Experiment
from benchmark.experiments.registry import experiment


@experiment
def gpt_shakespeare() -> Experiment:
    """Compare DWF and pruning in a small GPT on tiny Shakespeare, by bits per character, at three compressions.

    Five epochs, an hour on two cores. With Adam, the decay of the factors is decoupled from the gradient. No learning
    rate was searched. Expected: unknown.
    """
    return Experiment(
        tasks=("gpt-shakespeare",),
        methods=(
            *("dense", *(f"dwf[depth={depth},decay=decoupled]" for depth in (2, 3, 4)), "prox-lq[q=2/3]"),
            *("magnitude", "gmp", "wanda", "rigl"),
        ),
        values={"density": (0.5, 0.2, 0.05), "strength": (6.5, 9.0, 14.0), "prox-lq": (0.03, 0.1, 0.3)},
        seeds=(0,),
        epochs=5,
        smoke_methods=("dense", "gmp"),
    )
