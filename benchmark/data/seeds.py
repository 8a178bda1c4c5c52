"""Independent random streams from one seed, so that what a method draws never shifts the data's order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from methods.core.lazy import torch


def generator(seed: int, purpose: str) -> torch.Generator:
    """A CPU generator of its own for each purpose; the same on every device."""
    digest = hashlib.sha256(f"{seed} {purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7]))


class Seeds:
    """The seeds of R runs. If they are all the same, runs share what it draws; otherwise `per_run` is true."""

    def __init__(self, seeds: list[int], device: torch.device):
        self._distinct = list(dict.fromkeys(seeds))
        self._place = torch.tensor([self._distinct.index(seed) for seed in seeds], device=device)
        self.per_run = len(self._distinct) > 1

    def generators(self, purpose: str) -> list[torch.Generator]:
        """One for each distinct seed."""
        return [generator(seed, purpose) for seed in self._distinct]

    def spread(self, drawn: Sequence[torch.Tensor]) -> torch.Tensor:
        """What the one seed drew, or, where there are several, what each run's did, [R, ...]."""
        return torch.stack(list(drawn))[self._place] if self.per_run else drawn[0]
