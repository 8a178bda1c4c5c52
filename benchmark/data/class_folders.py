"""Small images in a folder for each class, read into memory."""

from __future__ import annotations

from pathlib import Path

from benchmark.data.image_files import image_files, natural_key, read_image
from benchmark.data.split import Batch, Data, split
from benchmark.errors import UsageError, last_line
from methods.core.lazy import torch


def class_folders(root: Path) -> Data:
    """Return the images of <root>/train/CLASS and <root>/test/CLASS, which are all of one size.

    Classes are numbered in the natural order of their names, which is torchvision's order for CIFAR-100. Raises
    UsageError if a part is missing, both hold different classes, or an image cannot be read.
    """
    try:
        classes = _classes(root / "train")
        if (others := _classes(root / "test")) != classes:
            odd = sorted(set(classes) ^ set(others), key=natural_key)
            raise UsageError(f"train and test in {root} hold different classes: {', '.join(odd[:3])}")
        train, test = (_images(root / part, classes) for part in ("train", "test"))
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"the images in {root} cannot be read ({last_line(error)}); put images of one size into its folders "
            "train/CLASS and test/CLASS"
        ) from error
    return split(train, test)


def _classes(part: Path) -> list[str]:
    """Return the names of the folders in a part, in natural order."""
    names = (path.name for path in part.iterdir() if path.is_dir() and not path.name.startswith("."))
    return sorted(names, key=natural_key)


def _images(part: Path, classes: list[str]) -> Batch:
    """Return images [n, 3, H, W] in [0, 1] and labels [n], class by class."""
    from torchvision.transforms.functional import pil_to_tensor

    files = [(path, label) for label, name in enumerate(classes) for path in image_files(part / name)]
    images = torch.stack([pil_to_tensor(read_image(path)) for path, _ in files])
    return images.float() / 255, torch.tensor([label for _, label in files])
