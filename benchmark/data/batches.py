"""The batches that runs are trained on: in an order, and by draws, that depend on each run's seed alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchmark.data.augmentation import Augmentation
from benchmark.data.seeds import Seeds
from benchmark.data.split import Read, Split
from benchmark.data.streamed import Images
from methods.core.lazy import torch

Indices = list[list[torch.Tensor]]  # of the batches of each seed
Inputs = Callable[[Indices, list[torch.Generator]], Iterator[Sequence[torch.Tensor]]]  # of each batch, of all seeds


class Batches:
    """The batches of R runs, epoch by epoch.

    Runs that all have the same seed share a batch: inputs [B, ...] and labels [B]. Otherwise `per_run` is true, inputs
    are [R, B, ...] and labels [R, B]; a batch that several runs of one seed see is made once.
    """

    def __init__(self, train: Read, augmentation: Augmentation | None, batch_size: int, seeds: list[int]):
        inputs, self.labels = train
        self.batch_size = batch_size
        self._read = _reader(inputs, augmentation)
        self._seeds = Seeds(seeds, self.labels.device)
        self.per_run = self._seeds.per_run
        self._orders, self._chances = (self._seeds.generators(purpose) for purpose in ("order", "augmentation"))

    def state_dict(self) -> dict[str, list[torch.Tensor]]:
        """Where the random streams stand; taken between two epochs, it tells the epoch that comes."""
        streams = {"orders": self._orders, "chances": self._chances}
        return {name: [stream.get_state() for stream in of_seeds] for name, of_seeds in streams.items()}

    def load_state_dict(self, state: dict[str, list[torch.Tensor]]) -> None:
        for streams, states in ((self._orders, state["orders"]), (self._chances, state["chances"])):
            for stream, saved in zip(streams, states, strict=True):
                stream.set_state(saved)

    def epoch(self, done: int = 0) -> Iterator[Split]:
        """The batches of the next epoch but for the first `done`."""
        indices = [self._shuffled(order)[done:] for order in self._orders]
        for batch, x in zip(zip(*indices, strict=True), self._read(indices, self._chances), strict=True):
            yield self._seeds.spread(x), self._seeds.spread([self.labels[chosen] for chosen in batch])

    def _shuffled(self, order: torch.Generator) -> list[torch.Tensor]:
        """Indices of one epoch's batches; the examples that do not fill a batch sit this epoch out."""
        n, size = len(self.labels), self.batch_size
        shuffled = torch.randperm(n, generator=order).to(self.labels.device)
        return list(shuffled[: n // size * size].view(-1, size))


def _reader(inputs: torch.Tensor | Images, augmentation: Augmentation | None) -> Inputs:
    """What gives the inputs of some of an epoch's batches, augmented by draws that are made for the whole epoch."""
    if isinstance(inputs, Images):
        return inputs.augmented
    if augmentation is None:
        return lambda batches, _: ([inputs[batch] for batch in of_seeds] for of_seeds in zip(*batches, strict=True))
    padded = augmentation.pad(inputs)

    def augmented(batches: Indices, chances: list[torch.Generator]) -> Iterator[Sequence[torch.Tensor]]:
        # At once, so that no batch waits.
        draws = [augmentation.draw(len(inputs), inputs.shape[1:], chance).to(inputs.device) for chance in chances]
        for of_seeds in zip(*batches, strict=True):
            yield [augmentation(padded[batch], drawn[batch]) for batch, drawn in zip(of_seeds, draws, strict=True)]

    return augmented
