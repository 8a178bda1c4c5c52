"""Training, validation and test split of a data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from benchmark.data.streamed import Images
from methods.core.lazy import torch

Split: TypeAlias = "tuple[torch.Tensor, torch.Tensor]"  # inputs [n, ...] float32, labels [n] int64

Read: TypeAlias = "tuple[torch.Tensor | Images, torch.Tensor]"  # the same, or images that are read from files


@dataclass(frozen=True)
class Data:
    """Training, validation and test split. No method sees the last two, and no choice is made on the last."""

    train: Read
    val: Read
    test: Read

    def to(self, device: str) -> Data:
        return Data(*((inputs.to(device), labels.to(device)) for inputs, labels in (self.train, self.val, self.test)))


def balanced_order(labels: torch.Tensor) -> torch.Tensor:
    """A fixed order of all examples, shuffled and sorted by class: every k-th of it is a class-balanced sample."""
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    return shuffled[labels[shuffled].argsort(stable=True)]


def split(train: Split, test: Split) -> Data:
    """Set a class-balanced tenth of the training set aside for validation; normalize channels by the rest's statistics.

    Images are [n, C, H, W], and labels [n]; the statistics are mean and standard deviation.
    """
    images, labels = train
    order = balanced_order(labels)
    held_out = torch.zeros(len(labels), dtype=torch.bool)
    held_out[order[::10]] = True
    std, mean = torch.std_mean(images[~held_out], dim=(0, 2, 3), keepdim=True)
    return Data(
        train=((images[~held_out] - mean) / std, labels[~held_out]),
        val=((images[held_out] - mean) / std, labels[held_out]),
        test=((test[0] - mean) / std, test[1]),
    )
