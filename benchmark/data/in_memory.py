"""Loaders of data sets that fit into memory."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any

from benchmark.data.class_folders import class_folders
from benchmark.data.image_files import image_files, read_image
from benchmark.data.published import check_published
from benchmark.data.split import Batch, Data, balanced_order, split
from benchmark.errors import UsageError, last_line
from methods.core.lazy import torch

DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


def digits(folder: Path) -> Data:
    """Return the handwritten digits of scikit-learn: 1,797 images of 8 x 8 pixels, a balanced fifth for testing."""
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
    """Return a loader of torchvision's `MNIST`, `FashionMNIST`, `KMNIST`, `CIFAR10` or `CIFAR100`.

    Images in <folder>/<name>/train/CLASS and /test/CLASS take the place of torchvision's files.
    """

    def load(folder: Path) -> Data:
        try:
            from torchvision import datasets
        except ModuleNotFoundError:
            raise UsageError(f"{name} is read by torchvision: pip install torchvision") from None
        if (folder / name / "train").is_dir():
            return class_folders(folder.absolute() / name)
        return split(*map(_tensors, _files(getattr(datasets, name), folder)))

    return load


def _tensors(dataset: Any) -> Batch:
    """Return images [n, C, H, W] in [0, 1] and labels [n]."""
    images, labels = torch.as_tensor(dataset.data), torch.as_tensor(dataset.targets)
    images = images.unsqueeze(1) if images.dim() == 3 else images.permute(0, 3, 1, 2)
    return images.float() / 255, labels.long()


def _files(dataset: Any, folder: Path) -> list[Any]:
    """Return training and test set: from the folder, else from Debian's package, else downloaded to the folder."""
    from torchvision.datasets.utils import check_integrity

    name, raw, parts = dataset.__name__, _raw(dataset, folder), _parts(dataset)

    def both(root: Path, download: bool = False) -> list[Any]:
        return [dataset(root, train=train, download=download) for train in (True, False)]

    try:
        absent = [part for part in parts if not (raw / part).exists()]
        damaged = [part for part, md5 in parts.items() if part not in absent and not check_integrity(raw / part, md5)]
        check_published(name, raw, dict(getattr(dataset, "resources", ())))
        if not absent + damaged:
            return both(folder)
    except UsageError:
        raise
    except Exception as error:  # reading a damaged file may raise anything
        raise UsageError(f"the files of {name} in {raw} cannot be read ({last_line(error)}); replace them") from error
    if name == "FashionMNIST" and any(DEBIAN_FASHION_MNIST.glob("*.gz")):
        return _from_debian(both)
    missing = [path for path in (raw, *raw.parents) if not path.exists()]
    try:
        with redirect_stdout(sys.stderr):
            return both(folder, download=True)
    except (OSError, RuntimeError) as error:
        for path in missing:  # a failed download leaves empty folders
            with suppress(OSError):
                path.rmdir()
        fault = f"{name} is not in {raw}"
        if len(absent) < len(parts):
            faults = [f"{part} is missing" for part in absent] + [f"{part} is damaged" for part in damaged]
            fault = f"{name} in {raw} is incomplete ({', '.join(faults)})"
        raise UsageError(
            f"{fault} and could not be downloaded ({last_line(error)}); "
            "put its files there, or name with --data the folder that holds it"
        ) from error


def _raw(dataset: Any, folder: Path) -> Path:
    return folder.absolute() / getattr(dataset, "base_folder", f"{dataset.__name__}/raw")


def _parts(dataset: Any) -> dict[str, str | None]:
    """Return the MD5 hash of each file of a data set, where torchvision knows it."""
    if hasattr(dataset, "train_list"):
        return dict([*dataset.train_list, *dataset.test_list, (dataset.meta["filename"], dataset.meta["md5"])])
    return {Path(archive).stem: None for archive, _ in dataset.resources}


def _from_debian(both: Callable[[Path], list[Any]]) -> list[Any]:
    from torchvision.datasets.utils import extract_archive

    with tempfile.TemporaryDirectory() as root:
        raw = Path(root, "FashionMNIST", "raw")
        raw.mkdir(parents=True)
        try:
            for archive in DEBIAN_FASHION_MNIST.glob("*.gz"):
                extract_archive(archive, raw)
            return both(Path(root))
        except Exception as error:  # reading a damaged file may raise anything
            raise UsageError(
                f"the files in {DEBIAN_FASHION_MNIST} cannot be read ({last_line(error)}); "
                "reinstall Debian's dataset-fashion-mnist"
            ) from error


def tiny_imagenet(folder: Path) -> Data:
    """Return Tiny ImageNet, unpacked to <folder>/tiny-imagenet-200: 200 classes of 500 images of 64 x 64 pixels.

    Its own validation images, 50 a class, are the test set, since the labels of its test images are not public.
    """
    try:
        from torchvision.transforms.functional import pil_to_tensor
    except ModuleNotFoundError:
        raise UsageError("Tiny ImageNet is read by torchvision: pip install torchvision") from None
    root = folder.absolute() / "tiny-imagenet-200"
    try:
        label = {name: i for i, name in enumerate((root / "wnids.txt").read_text().split())}
        lines = (line.split("\t") for line in (root / "val" / "val_annotations.txt").read_text().splitlines())
        test = [(str(root / "val" / "images" / file), label[name]) for file, name, *_ in lines]
        train = [
            (path, i) for name, i in label.items() for path in sorted(image_files(root / "train" / name / "images"))
        ]
        sets = [
            (torch.stack([pil_to_tensor(read_image(path)) for path, _ in files]), [i for _, i in files])
            for files in (train, test)
        ]
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise UsageError(
            f"Tiny ImageNet in {root} cannot be read ({last_line(error)}); unpack tiny-imagenet-200.zip there, "
            "or name with --data the folder that holds it"
        ) from error
    return split(*((images.float() / 255, torch.tensor(labels)) for images, labels in sets))
