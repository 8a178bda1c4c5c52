"""Synthetic data for smoke tests and benchmarks: a random input of each kind, plus noise."""

from __future__ import annotations

import math

from benchmark.data.objective import Classification, Objective
from benchmark.data.split import Batch, Data
from methods.core.lazy import torch

TOKEN = 16  # the numbers that a token takes as long as


def synthetic_examples(shape: tuple[int, ...], vocabulary: int = 0) -> int:
    """Return the number of training examples: few for large images and long texts, which take long."""
    return 2_000 if math.prod(shape) * (TOKEN if vocabulary else 1) <= 1_000 else 64


def synthetic_data(
    shape: tuple[int, ...], classes: int, objective: Objective | None = None, vocabulary: int = 0
) -> Data:
    """Return a synthetic data set for smoke tests; its inputs are tokens if there is a vocabulary."""
    generator, objective = torch.Generator().manual_seed(0), objective or Classification()
    count = synthetic_examples(shape, vocabulary)
    kinds = max(classes, 2)
    prototypes = torch.randn(min(kinds, count), *shape, generator=generator)

    def examples(n: int) -> Batch:
        labels = torch.arange(n) % kinds
        inputs = prototypes[labels] + torch.randn(n, *shape, generator=generator)
        if vocabulary:
            inputs = (100 * inputs).long() % vocabulary
        return inputs, objective.synthetic(labels, inputs, classes)

    return Data.in_memory(examples(count), examples(min(count // 4, 200)), examples(min(count // 4, 200)))


def whole_batches(data: Data, batch_size: int, batches: int, few: int) -> Data:
    """Return data with a whole number of training batches, and `few` of the examples for evaluation."""
    inputs, targets = data.train
    chosen = torch.arange(batches * batch_size) % len(targets)
    first = inputs[:few], targets[:few]
    return Data.in_memory((inputs[chosen], targets[chosen]), first, first)
