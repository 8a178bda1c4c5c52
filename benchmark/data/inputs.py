"""The inputs of a split, behind one interface: as a tensor in memory, or as images that are read from files."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from benchmark.data.augmentation import Augmentation
from methods.core.lazy import torch

if TYPE_CHECKING:
    from benchmark.data.streamed import ImageReaders

# The indices of each seed's batches, and the generators that augmentation draws from, one for each seed.
BatchReader: TypeAlias = "Callable[[list[list[torch.Tensor]], list[torch.Generator]], Iterator[Sequence[torch.Tensor]]]"


class Inputs(Protocol):
    """The inputs of n examples."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of inputs and the shape of one: [n, ...]."""

    def __len__(self) -> int: ...

    def __getitem__(self, chosen: slice | torch.Tensor) -> torch.Tensor:
        """Return the inputs at some indices, without augmentation."""

    def split(self, size: int) -> Iterable[torch.Tensor]:
        """Return all inputs in order and without augmentation, `size` at a time."""

    def batch_reader(self, augmentation: Augmentation | None) -> BatchReader:
        """Return a function that yields training batches, for each the inputs of every seed.

        The generators draw the augmentation of a whole epoch, however many of its batches are read.
        """

    def to(self, device: str, readers: ImageReaders | None = None) -> Inputs:
        """Return the same inputs on a device. Images are read by the processes of `readers`."""


@dataclass(frozen=True)
class InMemory:
    """Inputs that are a tensor [n, ...]. They are pickled as an array, which the processes of a cluster share.

    All other attributes, such as `mean`, are those of the tensor, so that a script can look at the numbers.
    """

    values: torch.Tensor

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # copying and pickling ask for such names
            raise AttributeError(name)
        return getattr(self.values, name)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.values.shape)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, chosen: slice | torch.Tensor) -> torch.Tensor:
        return self.values[chosen]

    def split(self, size: int) -> Iterable[torch.Tensor]:
        return self.values.split(size)

    def to(self, device: str, readers: ImageReaders | None = None) -> InMemory:
        return InMemory(self.values.to(device))

    def batch_reader(self, augmentation: Augmentation | None) -> BatchReader:
        values = self.values
        if augmentation is None:
            return lambda batches, _: ([values[batch] for batch in seeds] for seeds in zip(*batches, strict=True))
        padded = augmentation.pad(values)

        def read(
            batches: list[list[torch.Tensor]], generators: list[torch.Generator]
        ) -> Iterator[Sequence[torch.Tensor]]:
            # All draws of the epoch are made first, so that no batch waits for them.
            draws = [augmentation.draw(len(self), self.shape[1:], one).to(values.device) for one in generators]
            for seeds in zip(*batches, strict=True):
                yield [augmentation(padded[batch], drawn[batch]) for batch, drawn in zip(seeds, draws, strict=True)]

        return read

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_array, (self.values.cpu().numpy(),)


def _from_array(array: Any) -> InMemory:
    """Return inputs that use the memory of an array, which may be read-only, since nothing writes to inputs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of arrays that it cannot write to
        return InMemory(torch.from_numpy(array))
