"""A loader of image folders with the layout of ImageNet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmark.data.split import Data, balanced_order
from benchmark.data.streamed import Images
from benchmark.errors import UsageError
from methods.core.lazy import torch


def image_folder(name: str, shape: tuple[int, int, int], classes: int, images: int) -> Callable[[Path], Data]:
    """Return a loader of <folder>/<name>/train and /val, which hold a folder of images for each class.

    Images are read while training runs. A tenth of `train` is set aside for validation; `val` is the test set.
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
