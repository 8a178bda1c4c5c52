"""The training batches of runs, whose order and augmentation depend on each run's seed alone."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.data.augmentation import Augmentation
from benchmark.data.seeds import Seeds
from benchmark.data.split import Batch, Split
from methods.core.lazy import torch


class Batches:
    """The batches of R runs, epoch by epoch.

    Runs that all have the same seed share a batch: inputs [B, ...] and labels [B]. Otherwise `per_run` is true, inputs
    are [R, B, ...] and labels [R, B]; a batch that several runs of one seed see is made once.
    """

    def __init__(self, train: Split, augmentation: Augmentation | None, batch_size: int, seeds: list[int]):
        inputs, self.labels = train
        self.batch_size = batch_size
        self._read = inputs.batch_reader(augmentation)
        self._seeds = Seeds(seeds, self.labels.device)
        self.per_run = self._seeds.per_run
        self._orders, self._chances = (self._seeds.generators(purpose) for purpose in ("order", "augmentation"))

    def state_dict(self) -> dict[str, list[torch.Tensor]]:
        """Return the state of the random streams; between two epochs, it decides the batches of the next one."""
        streams = {"orders": self._orders, "chances": self._chances}
        return {name: [stream.get_state() for stream in of_seeds] for name, of_seeds in streams.items()}

    def load_state_dict(self, state: dict[str, list[torch.Tensor]]) -> None:
        """Continue with the epoch that a state decides."""
        for streams, states in ((self._orders, state["orders"]), (self._chances, state["chances"])):
            for stream, saved in zip(streams, states, strict=True):
                stream.set_state(saved)

    def epoch(self, done: int = 0) -> Iterator[Batch]:
        """Yield the batches of the next epoch, without the first `done`."""
        indices = [self._shuffled(order)[done:] for order in self._orders]
        for batch, x in zip(zip(*indices, strict=True), self._read(indices, self._chances), strict=True):
            yield self._seeds.spread(x), self._seeds.spread([self.labels[chosen] for chosen in batch])

    def sample(self, examples: int) -> Iterator[torch.Tensor]:
        """Yield the inputs [B, ...] of whole batches, with augmentation, of at most so many examples or one batch.

        They are the same at every call and for all runs.
        """
        order, chance = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
        count = max(1, min(len(self.labels), examples) // self.batch_size)
        yield from (x for (x,) in self._read([self._shuffled(order)[:count]], [chance]))

    def _shuffled(self, order: torch.Generator) -> list[torch.Tensor]:
        """Return the indices of one epoch's batches. Examples that do not fill a batch are left out of this epoch."""
        n, size = len(self.labels), self.batch_size
        shuffled = torch.randperm(n, generator=order).to(self.labels.device)
        return list(shuffled[: n // size * size].view(-1, size))
