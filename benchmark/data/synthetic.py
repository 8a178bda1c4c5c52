"""Synthetic data for smoke tests and benchmarks: a random image for each class, plus noise."""

from __future__ import annotations

import math

from benchmark.data.split import Batch, Data
from methods.core.lazy import torch


def synthetic_examples(shape: tuple[int, ...]) -> int:
    """Return the number of training examples: few for large images, since convolutions take long."""
    return 2_000 if math.prod(shape) <= 1_000 else 64


def synthetic_data(shape: tuple[int, ...], classes: int) -> Data:
    """Return a synthetic data set for smoke tests."""
    generator = torch.Generator().manual_seed(0)
    count = synthetic_examples(shape)
    prototypes = torch.randn(min(classes, count), *shape, generator=generator)

    def examples(n: int) -> Batch:
        labels = torch.arange(n) % classes
        return prototypes[labels] + torch.randn(n, *shape, generator=generator), labels

    return Data.in_memory(examples(count), examples(min(count // 4, 200)), examples(min(count // 4, 200)))


def synthetic_batches(shape: tuple[int, ...], classes: int, batch_size: int, batches: int) -> Data:
    """Return synthetic data with a whole number of training batches, and few examples for evaluation."""
    inputs, labels = synthetic_data(shape, classes).train
    chosen = torch.arange(batches * batch_size) % len(labels)
    few = inputs[:classes], labels[:classes]
    return Data.in_memory((inputs[chosen], labels[chosen]), few, few)
