"""A perceptron and a convolutional network on MNIST-1D, which trains in seconds and tells methods apart."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from benchmark import models
from benchmark.data.mnist1d import mnist1d
from benchmark.tasks.lenets import DWF, Width
from benchmark.tasks.registry import task
from benchmark.tasks.task import Task


@task
def mlp_mnist1d(width: Width = 1.0) -> Task:
    """A perceptron of 500 and 500 units with a skip on MNIST-1D. Expected: dense at 65 % (Greydanus & Kobak, 2024)."""
    return Task(
        model=partial(models.skip_perceptron, 40, 10, width),
        data=mnist1d,
        dataset="MNIST1D",
        shape=(1, 40),
        classes=10,
        examples=3_600,
        epochs=50,
        batch_size=100,
        learning_rate=0.1,
        learning_rates=DWF,
        weight_decay=5e-4,
    )


@task
def cnn_mnist1d() -> Task:
    """MNIST-1D's convolutional network on MNIST-1D. Expected: dense at 94 % (Greydanus & Kobak, 2024)."""
    return replace(mlp_mnist1d(), model=partial(models.signal_cnn, 10))
