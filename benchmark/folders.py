"""Data sets that are folders of image files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from benchmark.data import Data, balanced_order, last_line, split
from benchmark.errors import UsageError
from benchmark.images import Images


def tiny_imagenet(folder: Path) -> Data:
    """Tiny ImageNet as it is distributed, in <folder>/tiny-imagenet-200: 200 classes of 500 images of 64 x 64 pixels.

    Its own validation images, 50 a class, are the test set, since the labels of its test images are not public.
    """
    try:
        from torchvision.datasets.folder import pil_loader
        from torchvision.transforms.functional import pil_to_tensor
    except ModuleNotFoundError:
        raise UsageError("Tiny ImageNet is read by torchvision: pip install torchvision") from None
    root = folder.absolute() / "tiny-imagenet-200"
    try:
        label = {name: i for i, name in enumerate((root / "wnids.txt").read_text().split())}
        lines = (line.split("\t") for line in (root / "val" / "val_annotations.txt").read_text().splitlines())
        test = [(root / "val" / "images" / file, label[name]) for file, name, *_ in lines]
        train = [
            (path, i) for name, i in label.items() for path in sorted((root / "train" / name / "images").iterdir())
        ]
        sets = [
            (torch.stack([pil_to_tensor(pil_loader(path)) for path, _ in files]), [i for _, i in files])
            for files in (train, test)
        ]
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise UsageError(
            f"Tiny ImageNet in {root} cannot be read ({last_line(error)}); unpack tiny-imagenet-200.zip there, "
            "or name with --data the folder that holds it"
        ) from error
    return split(*((images.float() / 255, torch.tensor(labels)) for images, labels in sets))


def image_folder(name: str, shape: tuple[int, int, int], classes: int, images: int) -> Callable[[Path], Data]:
    """A loader of <folder>/<name>/train and /val, which hold a folder of images for each class, as ImageNet does.

    Images are read as they are asked for. As everywhere a tenth of `train` is set aside; `val` is the test set.
    """

    def load(folder: Path) -> Data:
        from timm.data.readers import create_reader

        root = folder.absolute() / name
        try:
            train, test = (create_reader("", str(root / part)) for part in ("train", "val"))
        except (AssertionError, RuntimeError):
            raise UsageError(
                f"{root} does not hold images in train/CLASS and val/CLASS; put them there, "
                "or name with --data the folder that holds it"
            ) from None
        if train.class_to_idx != test.class_to_idx:
            raise UsageError(f"train and val in {root} hold different classes")
        files, test_files = ([path for path, _ in reader.samples] for reader in (train, test))
        labels, test_labels = (torch.tensor([label for _, label in reader.samples]) for reader in (train, test))
        order = balanced_order(labels)
        held_out, kept = order[::10].sort().values, order[torch.arange(len(order)) % 10 > 0].sort().values
        if (len(train.class_to_idx), len(files)) != (classes, images):
            raise UsageError(
                f"{root} has {len(train.class_to_idx)} classes and {len(files)} images in train, "
                f"not {classes} and {images}"
            )
        return Data(
            train=(Images([files[i] for i in kept.tolist()], shape), labels[kept]),
            val=(Images([files[i] for i in held_out.tolist()], shape), labels[held_out]),
            test=(Images(test_files, shape), test_labels),
        )

    return load
