"""The images in a folder: the files that count as one, and how a file is read."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


def image_files(folder: Path) -> list[str]:
    """Return the paths of the images in a folder and its subfolders, numbers in names by size (2.png before 10.png).

    An image is a regular file, or a link to one, with an extension that Pillow reads, in upper or lower case. Hidden
    files and folders, such as `._2.png`, do not count. Raises OSError if a folder cannot be read.
    """
    found, folders = [], [os.fspath(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):  # a link to a folder may lead back here
                    folders.append(entry.path)
                elif os.path.splitext(entry.name)[1].lower() in _extensions() and entry.is_file():  # noqa: PTH122
                    found.append(entry.path)
    return sorted(found, key=natural_key)


def natural_key(text: str) -> tuple[list[str | int], str]:
    """Return a key that sorts texts without regard to case and the numbers in them by size, as timm does."""
    parts = re.split(r"(\d+)", text.lower())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], text


@cache
def _extensions() -> frozenset[str]:
    from PIL import Image

    return frozenset(extension for extension, kind in Image.registered_extensions().items() if kind in Image.OPEN)


def read_image(path: str | Path) -> Image:
    """Return the first picture of a file in RGB, with 8 bits a channel.

    In grey pictures of more bits, 65535 is white, or 1.0 if they hold floats. Raises OSError, with the path in its one
    line, for everything that a decoder raises.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.mode == "P" and "transparency" in image.info:
                return image.convert("RGBA").convert("RGB")
            return _eight_bits(image).convert("RGB")
    except Exception as error:
        name = os.fsencode(path).decode(errors="backslashreplace")
        reason = " ".join(str(error).split()) or type(error).__name__
        raise OSError(f"{name} cannot be read as an image ({reason})") from None


def _eight_bits(image: Image) -> Image:
    """Return a grey picture of 16 or 32 bits in 8 bits, which Pillow itself would cut off at 255."""
    import numpy
    from PIL import Image

    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    levels = numpy.nan_to_num(numpy.asarray(image, dtype=numpy.float64)) * (255 if image.mode == "F" else 255 / 65535)
    return Image.fromarray(levels.round().clip(0, 255).astype(numpy.uint8))
