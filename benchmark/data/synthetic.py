"""Synthetic data for smoke tests and benchmarks."""

from __future__ import annotations

import math

from benchmark.data.split import Data, Split
from methods.core.lazy import torch


def made_examples(shape: tuple[int, ...]) -> int:
    """How many made examples there are for training: few of large images, which convolutions take long for."""
    return 2_000 if math.prod(shape) <= 1_000 else 64


def made(shape: tuple[int, ...], classes: int) -> Data:
    """Made data for smoke tests: a random image for each class, in noise."""
    generator = torch.Generator().manual_seed(0)
    count = made_examples(shape)
    prototypes = torch.randn(min(classes, count), *shape, generator=generator)

    def examples(n: int) -> Split:
        labels = torch.arange(n) % classes
        return prototypes[labels] + torch.randn(n, *shape, generator=generator), labels

    return Data(examples(count), examples(min(count // 4, 200)), examples(min(count // 4, 200)))


def made_batches(shape: tuple[int, ...], classes: int, batch_size: int, batches: int) -> Data:
    """Made data of so many whole batches for training, and next to none for evaluation."""
    inputs, labels = made(shape, classes).train
    chosen = torch.arange(batches * batch_size) % len(labels)
    few = inputs[:classes], labels[:classes]
    return Data((inputs[chosen], labels[chosen]), few, few)
