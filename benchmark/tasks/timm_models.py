"""Every network of timm, by name, on data sets of small images and on folders of large ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Annotated, Any, TypeAlias

from benchmark.data.image_folder import image_folder
from benchmark.errors import UsageError, error_text
from benchmark.tasks.cifar import RESNET_RATES, recipe
from benchmark.tasks.pretrained import Frozen, pretrained
from benchmark.tasks.registry import task, task_scheme
from benchmark.tasks.task import Task
from methods.core.lazy import torch
from methods.core.option_types import Range

CLASSES = {"cifar10": 10, "cifar100": 100}
Classes = Annotated[int, Range("[1, 100000]")]
Images = Annotated[int, Range("[1, 1e9]")]
IMAGENET = {"classes": 1000, "images": 1_281_167}
# A function of a model's name, its classes and the side of its images, which returns the network; and one that raises
# UsageError if there is no such network.
Build: TypeAlias = "Callable[[str, int, int], torch.nn.Module]"
Check = Callable[[str, int, int], None]


@task_scheme("timm:")
def timm_task(name: str) -> Callable[..., Task]:
    """Find the task of any network of timm, as in `timm:resnet26-cifar10`, with the data set's own recipe.

    `timm:MODEL-FOLDER[classes=K,images=N]` trains on a folder laid out like ImageNet, with K classes and N images in
    `train`.
    """
    return library_task("timm", name, network, _check_model)  # timm's names have no hyphen


def library_task(library: str, name: str, build: Build, check: Check) -> Callable[..., Task]:
    """Return the task function of MODEL-DATASET or MODEL-FOLDER for the models of a library.

    `weights` is a file of pretrained weights, and `frozen=backbone` trains the head alone, see `pretrained`.
    """
    model, _, dataset = name.partition("-")
    if dataset in CLASSES:

        def on_cifar(weights: str = "", frozen: Frozen = "none") -> Task:
            return pretrained(_small(build, check, model, CLASSES[dataset]), weights, frozen)

        return on_cifar

    def on_folder(classes: Classes = 0, images: Images = 0, weights: str = "", frozen: Frozen = "none") -> Task:
        made = _folder_task(library, build, check, model, dataset, classes, images)
        return pretrained(made, weights, frozen)

    def on_imagenet(
        classes: Classes = IMAGENET["classes"],
        images: Images = IMAGENET["images"],
        weights: str = "",
        frozen: Frozen = "none",
    ) -> Task:
        return on_folder(classes, images, weights, frozen)

    return on_imagenet if dataset == "imagenet" else on_folder


def _small(build: Build, check: Check, model: str, classes: int) -> Task:
    """Return the task of a network on CIFAR."""
    check(model, classes, 32)
    return recipe(partial(build, model, classes, 32), classes, learning_rates=RESNET_RATES)


def _folder_task(library: str, build: Build, check: Check, model: str, folder: str, classes: int, images: int) -> Task:
    """Return the task of a network on a folder of images of 224 x 224, with the usual recipe of ImageNet."""
    if not model or not folder or classes < 1 or images < 1:
        written = f"{model}-{folder}" if folder else model
        raise UsageError(
            f"task '{library}:{written}' is not {library}:MODEL-DATASET with a data set of "
            f"{', '.join(CLASSES)}, imagenet, nor {library}:MODEL-FOLDER[classes=K,images=N] with a folder of N "
            "images, of K classes"
        )
    check(model, classes, 224)
    shape = (3, 224, 224)
    return Task(
        model=partial(build, model, classes, 224),
        data=image_folder(folder, shape, classes, images),
        dataset=folder,
        shape=shape,
        classes=classes,
        examples=images * 9 // 10,
        epochs=90,
        batch_size=256,
        learning_rate=0.1,
        learning_rates=RESNET_RATES,
        weight_decay=1e-4,
        batch_norm=True,  # some of the networks have it
    )


@cache  # a sweep asks for the same few networks once for each of its runs
def _check_model(model: str, classes: int, side: int) -> None:
    """Raise UsageError unless timm is installed and has the model, and the model takes images of this size."""
    try:
        import timm
    except ModuleNotFoundError:
        raise UsageError(f"task timm:{model} takes a network of timm: pip install timm") from None
    if not timm.is_model(model):
        near = ", ".join(timm.list_models(f"*{model[:6]}*")[:6]) or "those of timm.list_models()"
        raise UsageError(f"timm has no model {model!r}; models are {near}")
    for device in ("meta", "cpu"):  # the first computes nothing, and some networks fail on it alone
        try:
            with torch.random.fork_rng(devices=[]), torch.no_grad(), torch.device(device):
                network(model, classes, side)(torch.zeros(2, 3, side, side))
            return
        except UsageError:
            raise
        except Exception as error:
            reason = error_text(error)
    raise UsageError(f"timm's model {model} does not take images of {side} x {side} ({reason}); choose another model")


def network(name: str, classes: int, side: int) -> torch.nn.Module:
    """Return a new network of timm for these classes and images; transformers cut small images in patches of 4 x 4."""
    import timm

    patches: dict[str, Any] = {"patch_size": 4} if side == 32 else {}
    for fitting in ({"img_size": side} | patches, {"img_size": side}, {}):
        try:
            return timm.create_model(name, num_classes=classes, **fitting)
        except TypeError:  # convolutional networks take images of any size and have no such option
            continue
    raise UsageError(f"timm's model {name} does not take images of {side} x {side}")


@task
def vit_cifar10() -> Task:
    """ViT-Tiny with patches of 4 x 4 on CIFAR-10, by SGD as every task here; transformers usually want Adam."""
    return recipe(partial(network, "vit_tiny_patch16_224", 10, 32), 10, learning_rates=RESNET_RATES, learning_rate=0.05)
