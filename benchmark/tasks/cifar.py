"""Convolutional networks on CIFAR-10, CIFAR-100 and Tiny ImageNet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from benchmark import models
from benchmark.data.augmentation import Augmentation
from benchmark.data.in_memory import by_torchvision, tiny_imagenet
from benchmark.tasks.registry import task
from benchmark.tasks.task import Task
from methods.core.lazy import torch


def recipe(model: Callable[[], torch.nn.Module], classes: int, **changes: Any) -> Task:
    """Return the task of a network on CIFAR-10 or CIFAR-100 with the common recipe and some changes to it."""
    common: dict[str, Any] = {"epochs": 160, "learning_rate": 0.1, "weight_decay": 5e-4}
    return Task(
        model=model,
        data=by_torchvision(f"CIFAR{classes}"),
        dataset=f"CIFAR{classes}",
        shape=(3, 32, 32),
        classes=classes,
        examples=45_000,
        batch_size=128,
        augmentation=Augmentation(shift=4),
        batch_norm=True,
        **(common | changes),
    )


# With matched rates, dwf trains at the recipe's own learning rate. Equal rates are its authors' for groups of
# weights (Kolb et al., NeurIPS 2025); those of DWF are not published.
VGG_RATES = {"dwf[rates=equal]": 0.4, "dwf[depth=1,rates=equal]": 0.1, "dwf[depth=2,rates=equal]": 0.3}
RESNET_RATES = VGG_RATES | {"dwf[depth=2,rates=equal]": 0.2, "dwf[depth=3,rates=equal]": 0.3}


@task
def vgg16_cifar10() -> Task:
    """VGG-16 with batch norm on CIFAR-10. Expected: dense at 93.5 % (Tanaka et al., 2020, best epoch)."""
    return recipe(partial(models.vgg, 16, 10), 10, learning_rates=VGG_RATES)


@task
def vgg16_cifar100() -> Task:
    """VGG-16 with batch norm on CIFAR-100. Expected: dense at 73 % (Tanaka et al., 2020, best epoch)."""
    return recipe(partial(models.vgg, 16, 100), 100, learning_rates=VGG_RATES)


@task
def vgg19_cifar10() -> Task:
    """VGG-19 with batch norm on CIFAR-10. Expected: dense at 94.2 % (Wang et al., 2020)."""
    return recipe(partial(models.vgg, 19, 10), 10, learning_rates=VGG_RATES)


@task
def vgg19_cifar100() -> Task:
    """VGG-19 with batch norm on CIFAR-100. Expected: dense at about 70 %, from which the DWF paper measures losses."""
    return recipe(partial(models.vgg, 19, 100), 100, learning_rates=VGG_RATES)


@task
def resnet18_cifar10() -> Task:
    """ResNet-18 on CIFAR-10. Expected: dense at 95 % (Tanaka et al., 2020, best epoch)."""
    return recipe(partial(models.resnet18, 10), 10, learning_rates=RESNET_RATES)


@task
def resnet18_cifar100() -> Task:
    """ResNet-18 on CIFAR-100. Expected: dense at 78.3 % (Tanaka et al., 2020, best epoch)."""
    return recipe(partial(models.resnet18, 100), 100, learning_rates=RESNET_RATES)


def _resnet20(classes: int) -> Task:
    return recipe(partial(models.resnet20, classes), classes, learning_rates=RESNET_RATES, weight_decay=1e-4)


@task
def resnet20_cifar10() -> Task:
    """ResNet-20 on CIFAR-10. Expected: dense at 91.3 % (He et al., 2016)."""
    return _resnet20(10)


@task
def resnet20_cifar100() -> Task:
    """ResNet-20 on CIFAR-100. Expected: not known to us."""
    return _resnet20(100)


def _wide_resnet22(classes: int) -> Task:
    return recipe(partial(models.wide_resnet22, classes), classes, learning_rates=RESNET_RATES, epochs=200)


@task
def wrn22_cifar10() -> Task:
    """WRN-22-2 on CIFAR-10. Expected: dense above 94 %, where RigL at half the weights has 94.2 %."""
    return _wide_resnet22(10)


@task
def wrn22_cifar100() -> Task:
    """WRN-22-2 on CIFAR-100. Expected: not known to us."""
    return _wide_resnet22(100)


@task
def resnet18_tinyimagenet() -> Task:
    """ResNet-18 on Tiny ImageNet. Expected: dense at 63 % (Tanaka et al., 2020, best epoch)."""
    changes: dict[str, Any] = {"learning_rates": RESNET_RATES, "epochs": 100}
    changes |= {"data": tiny_imagenet, "dataset": "TinyImageNet", "shape": (3, 64, 64), "examples": 90_000}
    return replace(recipe(partial(models.resnet18, 200), 200), **changes, augmentation=Augmentation(8))
