"""A data set: its training, validation and test split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from benchmark.data.inputs import InMemory, Inputs
from methods.core.lazy import torch

if TYPE_CHECKING:
    from benchmark.data.streamed import ImageReaders

Batch: TypeAlias = "tuple[torch.Tensor, torch.Tensor]"  # inputs [B, ...] float32, labels [B] int64
Split: TypeAlias = "tuple[Inputs, torch.Tensor]"  # inputs and labels of n examples


@dataclass(frozen=True)
class Data:
    """Training, validation and test split. Methods see the first alone, and no choice is made on the last."""

    train: Split
    val: Split
    test: Split

    @classmethod
    def in_memory(cls, train: Batch, val: Batch, test: Batch) -> Data:
        """Return the data set of three pairs of tensors."""
        return cls(*((InMemory(inputs), labels) for inputs, labels in (train, val, test)))

    def to(self, device: str, readers: ImageReaders | None = None) -> Data:
        """Return the same data on a device. Images are read by the processes of `readers`."""
        splits = (self.train, self.val, self.test)
        return Data(*((inputs.to(device, readers), labels.to(device)) for inputs, labels in splits))


def balanced_order(labels: torch.Tensor) -> torch.Tensor:
    """Return a fixed order of all examples, shuffled within classes: every k-th one is a class-balanced sample."""
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    return shuffled[labels[shuffled].argsort(stable=True)]


def split(train: Batch, test: Batch) -> Data:
    """Set a class-balanced tenth of the training examples aside for validation, and normalize each channel.

    Images are [n, C, H, W]. Mean and standard deviation are those of the remaining training examples.
    """
    images, labels = train
    order = balanced_order(labels)
    held_out = torch.zeros(len(labels), dtype=torch.bool)
    held_out[order[::10]] = True
    std, mean = torch.std_mean(images[~held_out], dim=(0, 2, 3), keepdim=True)
    return Data.in_memory(
        train=((images[~held_out] - mean) / std, labels[~held_out]),
        val=((images[held_out] - mean) / std, labels[held_out]),
        test=((test[0] - mean) / std, test[1]),
    )
