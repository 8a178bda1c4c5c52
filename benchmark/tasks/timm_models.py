"""Any network of timm, by name, on data sets of small images and on folders of large ones."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmark.data.image_folder import image_folder
from benchmark.errors import UsageError
from benchmark.tasks.cifar import RESNET_RATES, recipe
from benchmark.tasks.registry import parse_options, task
from benchmark.tasks.task import Task
from methods.core.lazy import torch

CLASSES = {"cifar10": 10, "cifar100": 100}
FOLDERS = {"imagenet": {"classes": 1000, "images": 1_281_167}}  # of known size


def timm_task(written: str) -> Task:
    """The task `timm:MODEL-DATASET`, with the recipe of the data set's other tasks.

    `timm:MODEL-FOLDER[classes=K,images=N]` is for folders laid out like ImageNet, of K classes and N images in `train`.
    """
    bare, _, options = written.removeprefix("timm:").partition("[")
    name, _, dataset = bare.partition("-")  # timm's names have no hyphen
    given = parse_options(written, options, () if dataset in CLASSES else ("classes", "images"))
    size = FOLDERS.get(dataset, {}) | given
    if not name or not dataset or (dataset not in CLASSES and len(size) < 2):
        raise UsageError(
            f"task {written!r} is not timm:MODEL-DATASET with a data set of {', '.join([*CLASSES, *FOLDERS])}, "
            "nor timm:MODEL-FOLDER[classes=K,images=N] with a folder of images"
        )
    if wrong := [option for option, number in given.items() if number < 1 or number % 1]:
        raise UsageError(f"{wrong[0]} of task {written} is a whole number >= 1")
    try:
        import timm
    except ModuleNotFoundError:
        raise UsageError(f"task {written} takes a network of timm: pip install timm") from None
    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name[:6]}*")[:6]) or "those of timm.list_models()"
        raise UsageError(f"timm has no model {name!r}; models are {near}")
    if dataset in CLASSES:
        return recipe(partial(network, name, CLASSES[dataset], 32), CLASSES[dataset], learning_rates=RESNET_RATES)
    return _folder_task(name, dataset, int(size["classes"]), int(size["images"]))


def _folder_task(name: str, folder: str, classes: int, images: int) -> Task:
    """A network on a folder of images of 224 x 224, by the usual recipe of ImageNet, but for the method's rates."""
    shape = (3, 224, 224)
    return Task(
        model=partial(network, name, classes, 224),
        data=image_folder(folder, shape, classes, images),
        shape=shape,
        classes=classes,
        examples=images * 9 // 10,
        epochs=90,
        batch_size=256,
        learning_rate=0.1,
        learning_rates=RESNET_RATES,
        weight_decay=1e-4,
    )


def network(name: str, classes: int, side: int) -> torch.nn.Module:
    """timm's network, untrained, fitted to classes and images; transformers cut small images in patches of 4 x 4."""
    import timm

    patches: dict[str, Any] = {"patch_size": 4} if side == 32 else {}
    for fitting in ({"img_size": side} | patches, {"img_size": side}, {}):
        try:
            return timm.create_model(name, num_classes=classes, **fitting)
        except TypeError:  # convolutions take images of any size and know no such option
            continue
    raise UsageError(f"timm's model {name} does not take images of {side} x {side}")


@task
def vit_cifar10() -> Task:
    """ViT-Tiny with patches of 4 x 4 on CIFAR-10, by SGD as every task here; transformers usually want Adam."""
    return recipe(partial(network, "vit_tiny_patch16_224", 10, 32), 10, learning_rates=RESNET_RATES, learning_rate=0.05)
