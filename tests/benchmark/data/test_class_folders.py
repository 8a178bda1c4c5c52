"""Small images in a folder for each class."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from benchmark.data.in_memory import by_torchvision
from benchmark.errors import UsageError

LEVELS = {"apple": 250, "class2": 20, "class10": 100}


def made(folder: Path) -> Path:
    """Write ten training images and two test images of 4 x 4 pixels for each of three classes."""
    for part, count in (("train", 10), ("test", 2)):
        for name, level in LEVELS.items():
            (folder / "CIFAR100" / part / name).mkdir(parents=True)
            for place in range(count):
                Image.new("RGB", (4, 4), (level, level, place)).save(folder / "CIFAR100" / part / name / f"{place}.png")
    return folder


def test_folders_of_classes_take_the_place_of_an_archive(tmp_path: Path) -> None:
    data = by_torchvision("CIFAR100")(made(tmp_path))
    assert [part[0].shape for part in (data.train, data.val, data.test)] == [(27, 3, 4, 4), (3, 3, 4, 4), (6, 3, 4, 4)]
    assert data.test[1].tolist() == [0, 0, 1, 1, 2, 2] and data.val[1].tolist() == [0, 1, 2] and data.digest
    red = data.test[0][:][:, 0, 0, 0]
    assert red[0] > red[4] > red[2]  # apple, class10 and class2, which is class 1 in natural order


def test_folders_with_a_fault_are_named_in_one_sentence(tmp_path: Path) -> None:
    root = made(tmp_path) / "CIFAR100"
    Image.new("RGB", (5, 4)).save(root / "train" / "apple" / "large.png")
    with pytest.raises(UsageError, match=r"cannot be read \(.*put images of one size"):
        by_torchvision("CIFAR100")(tmp_path)
    (root / "test" / "pear").mkdir()
    with pytest.raises(UsageError, match="hold different classes: pear"):
        by_torchvision("CIFAR100")(tmp_path)
