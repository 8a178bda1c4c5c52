"""The distribution of a factorized network's weights before training, for every initialization and depth."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from benchmark.records.schema import INITIAL_COLUMNS
from benchmark.records.table import append
from methods.core.lazy import torch
from methods.dwf_factors import Initialization, draw_factors

DEPTHS = (1, 2, 3, 4)
BINS, LIMIT = 161, 4.0  # bins and edge of the histogram of weight / standard deviation
DRAWN = 1_000_000
FAN_IN = 300  # torch draws weights of a linear layer from +-1 / sqrt(fan in)


def write_densities(folder: Path) -> None:
    """Write <folder>/initial_weights.csv: a line for each initialization, depth and bin of weights w / s.

    s is the standard deviation of torch's own start of a linear layer.
    """
    bound = FAN_IN**-0.5
    start = (2 * torch.rand(DRAWN, generator=torch.Generator().manual_seed(0)) - 1) * bound
    path = folder / "initial_weights.csv"
    path.unlink(missing_ok=True)  # the file is written again at once, with the same content
    for scheme in get_args(Initialization):
        for depth in DEPTHS:
            factors = draw_factors(start, depth, scheme, 0.25, False, torch.Generator().manual_seed(1))
            weights = factors.prod(0) / start.std()
            counts, edges = torch.histogram(weights, BINS, range=(-LIMIT, LIMIT))
            centres, densities = (edges[1:] + edges[:-1]) / 2, counts / DRAWN / (edges[1] - edges[0])
            kurtosis = (weights**4).mean() / (weights**2).mean() ** 2
            rows = zip(centres.tolist(), densities.tolist(), strict=True)
            append(path, INITIAL_COLUMNS, [(scheme, depth, x, f"{y:.5g}", f"{kurtosis:.4g}") for x, y in rows])
