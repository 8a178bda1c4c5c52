"""The experiment on a text."""

from __future__ import annotations

from benchmark.experiments.experiment import Experiment
from benchmark.experiments.registry import experiment


@experiment
def gpt_shakespeare() -> Experiment:
    """Compare DWF and pruning in a small GPT on tiny Shakespeare, by bits per character, at three values of each knob.

    Every method has two learning rates: that of dense training, and its fourfold. The report keeps the one with the
    larger hypervolume on validation data. With Adam, the decay of the factors is decoupled from the gradient. An hour
    on two cores that compute in bf16. Found (docs/findings/gpt.md): dwf is a tenth worse than dense even where most
    weights are left, and gmp and proximal steps are ahead.
    """
    return Experiment(
        tasks=("gpt-shakespeare",),
        methods=(
            *("dense", *(f"dwf[depth={depth},decay=decoupled]" for depth in (2, 3, 4)), "prox-lq[q=2/3]"),
            *("magnitude", "gmp", "wanda", "rigl"),
        ),
        values={"density": (0.5, 0.2, 0.05), "strength": (4.0, 5.5, 8.0), "prox-lq": (0.03, 0.1, 0.3)},
        learning_rates=(2e-3, 8e-3),
        seeds=(0,),
        epochs=5,
        precision="bf16",
        smoke_methods=("dense", "gmp"),
    )
