"""A loader of image folders with the layout of ImageNet."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from benchmark.data.image_files import image_files, natural_key
from benchmark.data.split import Data, digest, held_out
from benchmark.data.streamed import Images
from benchmark.errors import UsageError
from methods.core.lazy import torch


def image_folder(name: str, shape: tuple[int, int, int], classes: int, images: int) -> Callable[[Path], Data]:
    """Return a loader of <folder>/<name>/train and /val, which hold a folder of images for each class.

    Images are read while training runs. A tenth of `train` is set aside for validation; `val` is the test set.
    """

    def load(folder: Path) -> Data:
        root = folder.absolute() / name
        train, test = (_by_class(root, part) for part in ("train", "val"))
        if missing := [f"val has no images of {name}" for name in train if name not in test] + [
            f"train has no images of {name}" for name in test if name not in train
        ]:
            more = f", and {len(missing) - 3} more" if len(missing) > 3 else ""
            raise UsageError(f"train and val in {root} hold different classes: {', '.join(missing[:3])}{more}")
        if (count := len(train), total := sum(map(len, train.values()))) != (classes, images):
            raise UsageError(
                f"{root} has {count} classes and {total} images in train, not {classes} and {images}, "
                "which the task's options classes and images name"
            )
        (files, labels), (test_files, test_labels) = (_labelled(part, shape) for part in (train, test))
        aside = held_out(labels)
        parts = (torch.nonzero(chosen).flatten() for chosen in (~aside, aside))
        kept, held = ((Images([files.paths[i] for i in part.tolist()], shape), labels[part]) for part in parts)
        names = "\n".join(str(Path(path).relative_to(root)) for path in (*files.paths, *test_files.paths))
        return Data(kept, held, (test_files, test_labels), digest([os.fsencode(names)]))

    return load


def _by_class(root: Path, part: str) -> dict[str, list[str]]:
    """Return the images of <root>/<part> by class, whose names come in natural order; classes without images do not."""
    folder = root / part
    try:
        names = sorted((path.name for path in folder.iterdir() if path.is_dir()), key=natural_key)
        found = {name: image_files(folder / name) for name in names if not name.startswith(".")}
    except OSError as error:
        found, reason = {}, f"cannot be read ({error.strerror})"
    else:
        reason = "holds no folders with images"
    if found := {name: files for name, files in found.items() if files}:
        return found
    raise UsageError(
        f"{folder} {reason}; put images into {root}/train/CLASS and val/CLASS; "
        "or name with --data the folder that holds it"
    )


def _labelled(by_class: dict[str, list[str]], shape: tuple[int, int, int]) -> tuple[Images, torch.Tensor]:
    """Return all images, sorted by path as timm sorts them, and their labels."""
    label = {path: place for place, files in enumerate(by_class.values()) for path in files}
    paths = sorted(label, key=natural_key)
    return Images(paths, shape), torch.tensor([label[path] for path in paths])
