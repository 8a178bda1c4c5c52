"""LeNet-300-100 and LeNet-5 on small grey images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated

from benchmark import models
from benchmark.data.in_memory import by_torchvision, digits
from benchmark.tasks.learning_rates import searched
from benchmark.tasks.registry import task
from benchmark.tasks.task import Task
from methods.core.lazy import torch
from methods.core.option_types import Range

# Learning rates of dwf with matched rates on perceptrons, which no search has covered yet. On Fashion-MNIST it trained
# well at 0.3 and 0.6, and better than at the 0.1 of dense training.
DWF = {"dwf": 0.4, "dwf[depth=1]": 0.1}


Width = Annotated[float, Range("[0.01, 100]")]  # scales the hidden layers, of which each has a unit at 0.01


def _network(pixels: int, width: float) -> Callable[[], torch.nn.Module]:
    """Return a function that makes LeNet-300-100 with its hidden layers scaled by `width`."""
    return partial(models.lenet300, pixels, 10, width)


@task
def lenet300_digits(width: Width = 1.0) -> Task:
    """LeNet-300-100 on scikit-learn's handwritten digits (8 x 8 pixels, 1,293 training images)."""
    return Task(
        model=_network(64, width),
        data=digits,
        dataset="digits",
        shape=(1, 8, 8),
        classes=10,
        examples=1_293,
        epochs=40,
        batch_size=64,
        learning_rate=0.1,
        # ham diverged at the 0.2 of magnitude in one of two seeds, and was worse at 0.05
        learning_rates={**searched("lenet300-digits", "learning-rate-digits"), **DWF, "ham": 0.1},
        weight_decay=5e-4,
    )


def _lenet300(dataset: str, width: float) -> Task:
    """Return the task of LeNet-300-100 on images of 28 x 28, with the learning rates searched on Fashion-MNIST."""
    return Task(
        model=_network(784, width),
        data=by_torchvision(dataset),
        dataset=dataset,
        shape=(1, 28, 28),
        classes=10,
        examples=54_000,
        epochs=30,
        batch_size=256,
        learning_rate=0.1,
        learning_rates={**searched("lenet300-fmnist", "learning-rate-families", "learning-rate"), **DWF},
        weight_decay=5e-4,
    )


@task
def lenet300_mnist(width: Width = 1.0) -> Task:
    """LeNet-300-100 on MNIST. Expected: dense at 98.4 to 98.7 % (Yang et al., 2020; Dettmers & Zettlemoyer, 2019)."""
    return _lenet300("MNIST", width)


@task
def lenet300_fmnist(width: Width = 1.0) -> Task:
    """LeNet-300-100 on Fashion-MNIST. Expected: dense at 89.9 %, as measured in results/reference/families-grid."""
    return _lenet300("FashionMNIST", width)


@task
def lenet300_kmnist(width: Width = 1.0) -> Task:
    """LeNet-300-100 on Kuzushiji-MNIST. Expected: not known to us."""
    return _lenet300("KMNIST", width)


def _lenet5(dataset: str) -> Task:
    """Return the task of LeNet-5, with the learning rates searched on Fashion-MNIST."""
    learning_rates = {**DWF, **searched("lenet5-fmnist", "learning-rate-lenet5", "learning-rate-lenet5-dwf")}
    return replace(
        _lenet300(dataset, 1.0), model=partial(models.lenet5, 1, 10), epochs=20, learning_rates=learning_rates
    )


@task
def lenet5_mnist() -> Task:
    """LeNet-5 on MNIST. Expected: dense at 99.2 %."""
    return _lenet5("MNIST")


@task
def lenet5_fmnist() -> Task:
    """LeNet-5 on Fashion-MNIST. Expected: dense at 91 to 92 %."""
    return _lenet5("FashionMNIST")


@task
def lenet5_kmnist() -> Task:
    """LeNet-5 on Kuzushiji-MNIST. Expected: not known to us."""
    return _lenet5("KMNIST")
