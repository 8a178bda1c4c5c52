"""Any network of timm, by name, on the data sets of small images."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from benchmark.errors import UsageError
from benchmark.tasks import Task, task
from benchmark.tasks.cifar import RESNET_RATES, recipe

CLASSES = {"cifar10": 10, "cifar100": 100}


def timm_task(written: str) -> Task:
    """The task `timm:MODEL-DATASET`, with the recipe of the data set's other tasks."""
    name, _, dataset = written.removeprefix("timm:").rpartition("-")
    if dataset not in CLASSES:
        raise UsageError(f"task {written!r} is not timm:MODEL-DATASET with a data set of {', '.join(CLASSES)}")
    try:
        import timm
    except ModuleNotFoundError:
        raise UsageError(f"task {written} takes a network of timm: pip install 'sparsefront[timm]'") from None
    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name[:6]}*")[:6]) or "those of timm.list_models()"
        raise UsageError(f"timm has no model {name!r}; models are {near}")
    return recipe(partial(network, name, CLASSES[dataset]), CLASSES[dataset], learning_rates=RESNET_RATES)


def network(name: str, classes: int) -> torch.nn.Module:
    """timm's network, untrained, fitted to classes and to images of 32 x 32; transformers see patches of 4 x 4."""
    import timm

    sizes: tuple[dict[str, Any], ...] = ({"img_size": 32, "patch_size": 4}, {"img_size": 32}, {})
    for fitting in sizes:
        try:
            return timm.create_model(name, num_classes=classes, **fitting)
        except TypeError:  # convolutions take images of any size and know no such option
            continue
    raise UsageError(f"timm's model {name} does not take images of 32 x 32")


@task
def vit_cifar10() -> Task:
    """ViT-Tiny with patches of 4 x 4 on CIFAR-10, by SGD as every task here; transformers usually want Adam."""
    return recipe(partial(network, "vit_tiny_patch16_224", 10), 10, learning_rates=RESNET_RATES, learning_rate=0.05)
