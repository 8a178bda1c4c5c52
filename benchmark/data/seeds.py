"""Independent random streams from one seed, so that the draws of a method never change the order of the data."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from methods.core.lazy import torch


def generator(seed: int, purpose: str) -> torch.Generator:
    """Return a CPU generator for one purpose; it gives the same numbers on every device."""
    digest = hashlib.sha256(f"{seed} {purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7]))


class Seeds:
    """The seeds of R runs. If all are equal, the runs share one draw; otherwise `per_run` is true."""

    def __init__(self, seeds: list[int], device: torch.device):
        self._distinct = list(dict.fromkeys(seeds))
        self._place = torch.tensor([self._distinct.index(seed) for seed in seeds], device=device)
        self.per_run = len(self._distinct) > 1

    def generators(self, purpose: str) -> list[torch.Generator]:
        """Return one generator for each distinct seed."""
        return [generator(seed, purpose) for seed in self._distinct]

    def spread(self, drawn: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return the draw of the only seed, or the draws of each run's seed, [R, ...], if there are several."""
        return torch.stack(list(drawn))[self._place] if self.per_run else drawn[0]
