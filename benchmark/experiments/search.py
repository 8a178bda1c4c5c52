"""The search over learning rate and knob: 24 trials for every method, the same Sobol points for all."""

from __future__ import annotations

import csv
from collections.abc import Mapping

from benchmark.errors import UsageError
from benchmark.experiments.experiment import Experiment, Pairs
from benchmark.experiments.registry import experiment
from benchmark.tasks.learning_rates import published
from methods.core.base import Method
from methods.core.lazy import torch
from methods.core.option_types import ratio
from methods.core.registry import parse

TRIALS = 24
LEARNING_RATES = (0.05, 1.6)
DENSITIES = (0.002, 0.2)
# The range of lambda, also two decades, is each penalty's own, since their scales differ.
PENALTIES: Mapping[str, tuple[float, float]] = {
    "d-gating": (2e-4, 2e-2),
    "dwf": (2e-5, 2e-3),
    "l1": (2e-5, 2e-3),
    "prox-l1": (2e-4, 2e-2),
    "prox-lq": (2e-5, 2e-3),
    "pwd": (2e-5, 2e-3),
    "rewa": (5e-5, 5e-3),
    "str": (1e-4, 1e-2),
}


@experiment
def search() -> Experiment:
    """Try every method at 24 pairs of learning rate and value, with one seed that no result reports.

    The pairs are Sobol points, equal for all methods up to the range of the knob. Penalties are given by lambda, not by
    strength, which would tie them to the learning rate. Other options stay as they are written. The report writes
    trials.csv, which marks the pairs that no other pair of the method beats in compression and validation accuracy.
    Five hours on two cores.
    """
    return Experiment(
        tasks=("lenet300-fmnist",),
        methods=(
            *("dense", "dwf[depth=2,by=penalty]", "dwf[depth=3,by=penalty]", "dwf[depth=4,by=penalty]"),
            *("prox-lq[q=2/3]", "prox-lq[q=1/2]", "pwd[p=0.8]", "rewa", "gmp", "powerprop", "rigl", "magnitude"),
            *("snip", "synflow", "random[distribution=erk]", "gmp[score=lamp]", "sign-in", "admm", "iht", "obs"),
            *("deephoyer", "wanda", "d-gating[by=penalty]"),
            # Depth 4 diverges from this start (docs/findings/factorization.md).
            *("dwf[depth=2,by=penalty,init=truncated,epsilon=0]", "dwf[depth=3,by=penalty,init=truncated,epsilon=0]"),
        ),
        values={},
        pairs=sobol_pairs,
        seeds=(100,),
        epochs=30,
    )


def sobol_pairs(
    method: Method,
    trials: int = TRIALS,
    learning_rates: tuple[float, float] = LEARNING_RATES,
    densities: tuple[float, float] = DENSITIES,
    penalties: Mapping[str, tuple[float, float]] = PENALTIES,
) -> Pairs:
    """Return pairs of learning rate and value, log-uniform; one value if the method has no knob or keeps N of M.

    Raises UsageError for a method whose knob has no range here.
    """
    low, high = _range(method, densities, penalties)
    engine = torch.quasirandom.SobolEngine(2)
    engine.fast_forward(1)  # the first point is the corner of both ranges
    points = engine.draw(trials, dtype=torch.float64).tolist()
    return [(_between(*learning_rates, rate), _between(low, high, value)) for rate, value in points]


def chosen_pairs(method: Method, search: str = "search") -> Pairs:
    """Return the pairs of learning rate and value that a published search chose for a method, with either zero.

    Raises UsageError for a method that was not searched.
    """
    found: dict[str, dict[tuple[float, float], None]] = {}
    with published(search, "trials.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["chosen"] == "true":
                pair = (float(row["learning_rate"]), float(row["value"]))
                found.setdefault(str(parse(row["method"])), {})[pair] = None
    if str(method) not in found:
        raise UsageError(f"{search} chose no pairs for {method}; it did for {', '.join(found)}")
    return list(found[str(method)])


def _range(
    method: Method, densities: tuple[float, float], penalties: Mapping[str, tuple[float, float]]
) -> tuple[float, float]:
    if method.knob == "none":
        return 1.0, 1.0
    if method.knob == "density":
        numbers = ratio(getattr(method.inner or method, "distribution", ""))
        return (numbers[0] / numbers[1],) * 2 if numbers else densities
    if method.knob == "penalty" and method.name in penalties:
        return penalties[method.name]
    raise UsageError(
        f"search has no range for the {method.knob} of {method}; it has one for densities and for the penalty of "
        f"{', '.join(penalties)}, as in dwf[by=penalty]"
    )


def _between(low: float, high: float, share: float) -> float:
    """Return the number at a share of the way from `low` to `high` on a log scale, to three digits."""
    return float(f"{low * (high / low) ** share:.3g}")
