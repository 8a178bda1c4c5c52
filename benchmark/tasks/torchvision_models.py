"""Every network of torchvision for classification, by name, on the data sets of timm's tasks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from benchmark.errors import UsageError, error_text
from benchmark.tasks.registry import task_scheme
from benchmark.tasks.task import Task
from benchmark.tasks.timm_models import library_task
from methods.core.lazy import torch
from methods.core.spec import near


@task_scheme("torchvision:")
def torchvision_task(name: str) -> Callable[..., Task]:
    """Find the task of a network of torchvision, as in `torchvision:resnet18-cifar10`, with the data set's own recipe.

    Data sets and folders are those of `timm:`. A network is the library's own, made for images of 224 x 224: on CIFAR a
    residual network sees 1 x 1 features at its end.
    """
    return library_task("torchvision", name, network, _check_model)


def network(name: str, classes: int, side: int) -> torch.nn.Module:
    """Return a new network of torchvision without pretrained weights.

    googlenet and inception_v3 are built without their second output in training, and start as torch's layers do.
    """
    from torchvision import models

    single = {"aux_logits": False, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
    built: torch.nn.Module = models.get_model(name, weights=None, num_classes=classes, **single)
    return built


@cache  # a sweep asks for the same few networks once for each of its runs
def _check_model(model: str, classes: int, side: int) -> None:
    """Raise UsageError unless torchvision is installed and has the model, and the model maps such images to classes."""
    try:
        from torchvision import models
    except ModuleNotFoundError:
        raise UsageError(f"task torchvision:{model} takes a network of torchvision: pip install torchvision") from None
    names = models.list_models(module=models)
    if model not in names:
        raise UsageError(f"torchvision has no model {model!r}{near(model, names)}; models are {', '.join(names)}")
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad(), torch.device("meta"):
            outputs = network(model, classes, side)(torch.zeros(2, 3, side, side))
        reason = "" if isinstance(outputs, torch.Tensor) else "its training has several outputs"
    except Exception as error:
        reason = error_text(error)
    if reason:
        raise UsageError(
            f"torchvision's model {model} does not take images of {side} x {side} ({reason}); choose another model"
        )
