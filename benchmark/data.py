"""Data sets that are loaded as whole tensors: found, normalized and split; and made ones."""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch

from benchmark.errors import UsageError
from benchmark.images import Images

DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
Split: TypeAlias = "tuple[torch.Tensor, torch.Tensor]"  # inputs [n, ...] float32, labels [n] int64
Read: TypeAlias = "tuple[torch.Tensor | Images, torch.Tensor]"  # the same, or images that are read from files


@dataclass(frozen=True)
class Data:
    """Training, validation and test split. No method sees the last two, and no choice is made on the last."""

    train: Read
    val: Read
    test: Read

    def to(self, device: str) -> Data:
        return Data(*((inputs.to(device), labels.to(device)) for inputs, labels in (self.train, self.val, self.test)))


def balanced_order(labels: torch.Tensor) -> torch.Tensor:
    """A fixed order of all examples, shuffled and sorted by class: every k-th of it is a class-balanced sample."""
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    return shuffled[labels[shuffled].argsort(stable=True)]


def split(train: Split, test: Split) -> Data:
    """Set a class-balanced tenth of the training set aside for validation; normalize channels by the rest's statistics.

    Images are [n, C, H, W], and labels [n]; the statistics are mean and standard deviation.
    """
    images, labels = train
    order = balanced_order(labels)
    held_out = torch.zeros(len(labels), dtype=torch.bool)
    held_out[order[::10]] = True
    std, mean = torch.std_mean(images[~held_out], dim=(0, 2, 3), keepdim=True)
    return Data(
        train=((images[~held_out] - mean) / std, labels[~held_out]),
        val=((images[held_out] - mean) / std, labels[held_out]),
        test=((test[0] - mean) / std, test[1]),
    )


def digits(folder: Path) -> Data:
    """Handwritten digits of scikit-learn, 1,797 images of 8 x 8 pixels; a class-balanced fifth is the test set."""
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError:
        raise UsageError("the digits data set ships with scikit-learn: pip install scikit-learn") from None
    bunch = load_digits()
    images = torch.tensor(bunch.images, dtype=torch.float32).unsqueeze(1) / 16
    labels = torch.tensor(bunch.target, dtype=torch.int64)
    test = torch.zeros(len(labels), dtype=torch.bool)
    test[balanced_order(labels)[::5]] = True
    return split((images[~test], labels[~test]), (images[test], labels[test]))


def by_torchvision(name: str) -> Callable[[Path], Data]:
    """A loader of torchvision's `MNIST`, `FashionMNIST`, `KMNIST`, `CIFAR10` or `CIFAR100`."""

    def load(folder: Path) -> Data:
        try:
            from torchvision import datasets
        except ModuleNotFoundError:
            raise UsageError(f"{name} is read by torchvision: pip install torchvision") from None
        return split(*map(_tensors, _files(getattr(datasets, name), folder)))

    return load


def _tensors(dataset: Any) -> Split:
    """Images [n, C, H, W] in [0, 1] and labels [n]."""
    images, labels = torch.as_tensor(dataset.data), torch.as_tensor(dataset.targets)
    images = images.unsqueeze(1) if images.dim() == 3 else images.permute(0, 3, 1, 2)
    return images.float() / 255, labels.long()


def _files(dataset: Any, folder: Path) -> list[Any]:
    """Training and test set where torchvision finds them in the folder, else in Debian's package, else downloaded."""
    name = dataset.__name__
    raw = folder.absolute() / getattr(dataset, "base_folder", f"{name}/raw")

    def both(root: Path, download: bool = False) -> list[Any]:
        return [dataset(root, train=train, download=download) for train in (True, False)]

    try:
        return both(folder)
    except (ValueError, AssertionError, EOFError, RuntimeError) as error:
        if "not found" not in str(error):  # torchvision's word for files that are not there
            raise UsageError(
                f"the files of {name} in {raw} cannot be read ({last_line(error)}); replace them"
            ) from error
    if name == "FashionMNIST" and any(DEBIAN_FASHION_MNIST.glob("*.gz")):
        return _from_debian(both)
    try:
        with redirect_stdout(sys.stderr):
            return both(folder, download=True)
    except (OSError, RuntimeError) as error:
        for made in (raw, raw.parent, folder):  # what a failed download leaves
            with suppress(OSError):
                made.rmdir()
        raise UsageError(
            f"{name} is not in {raw} and could not be downloaded ({last_line(error)}); "
            "put its files there, or name with --data the folder that holds it"
        ) from error


def _from_debian(both: Callable[[Path], list[Any]]) -> list[Any]:
    from torchvision.datasets.utils import extract_archive

    with tempfile.TemporaryDirectory() as root:
        raw = Path(root, "FashionMNIST", "raw")
        raw.mkdir(parents=True)
        try:
            for archive in DEBIAN_FASHION_MNIST.glob("*.gz"):
                extract_archive(archive, raw)
            return both(Path(root))
        except (ValueError, AssertionError, EOFError, RuntimeError, OSError) as error:
            raise UsageError(
                f"the files in {DEBIAN_FASHION_MNIST} cannot be read ({last_line(error)}); "
                "reinstall Debian's dataset-fashion-mnist"
            ) from error


def last_line(error: Exception) -> str:
    """What an error says in the end, which is where libraries say it."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


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
