"""The files that count as images, and how each is read, on files as cameras, scanners and archives make them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy
import pytest
from PIL import Image

from benchmark.data.image_files import image_files, read_image

RAMP = numpy.linspace(0, 1, 256).reshape(16, 16)


def names(folder: Path) -> list[str]:
    return [str(Path(path).relative_to(folder)) for path in image_files(folder)]


def test_every_image_counts_once_and_in_natural_order(tmp_path: Path) -> None:
    for name in ("10.png", "2.JPG", "3.webp", "4.tif", "5.bmp", "6.gif", "part/1.jpeg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("L", (4, 4)).convert("RGB").save(tmp_path / name)
    for name in ("._2.JPG", ".DS_Store", "Thumbs.db", "labels.csv", ".hidden/7.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert names(tmp_path) == ["2.JPG", "3.webp", "4.tif", "5.bmp", "6.gif", "10.png", "part/1.jpeg"]


def test_pipes_and_loops_do_not_count(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nowhere.png")
    Image.new("L", (4, 4)).save(tmp_path / "one.png")
    (tmp_path / "two.png").symlink_to(tmp_path / "one.png")
    assert names(tmp_path) == ["one.png", "two.png"]


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("grey.png", (255 * RAMP).astype(numpy.uint8)),
        ("sixteen.png", (65535 * RAMP).astype(numpy.uint16)),
        ("sixteen.tif", (65535 * RAMP).astype(numpy.uint16)),
        ("thirty-two.tif", (65535 * RAMP).astype(numpy.int32)),
        ("float.tif", RAMP.astype(numpy.float32)),
    ],
)
def test_a_ramp_is_the_same_picture_at_every_depth(name: str, levels: numpy.ndarray, tmp_path: Path) -> None:
    Image.fromarray(levels).save(tmp_path / name)
    read = read_image(tmp_path / name)
    assert read.mode == "RGB"
    for channel in range(3):
        assert numpy.abs(numpy.asarray(read)[:, :, channel] - 255 * RAMP).max() <= 1


def test_the_first_picture_of_an_animation_counts(tmp_path: Path) -> None:
    first, second = (Image.new("RGB", (4, 4), colour) for colour in ("white", "black"))
    for name in ("a.gif", "a.webp", "a.png"):
        first.save(tmp_path / name, save_all=True, append_images=[second])
        assert numpy.asarray(read_image(tmp_path / name)).min() > 250


def test_a_palette_with_transparency_is_read_without_a_warning(tmp_path: Path) -> None:
    picture = Image.new("P", (4, 4))
    picture.putpalette([10, 20, 30] * 256)
    picture.save(tmp_path / "p.png", transparency=bytes(range(256)))
    assert numpy.asarray(read_image(tmp_path / "p.png"))[0, 0].tolist() == [10, 20, 30]


def test_what_cannot_be_read_is_named_whatever_the_decoder_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)  # twice as many raise an error that is no OSError
    Image.new("L", (10, 10)).save(tmp_path / "huge.png")
    whole = tmp_path / "whole.png"
    Image.fromarray((255 * RAMP).astype(numpy.uint8)).resize((3, 3)).save(whole)
    (tmp_path / "cut.png").write_bytes(whole.read_bytes()[:-30])
    (tmp_path / "text.png").write_text("no image")
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    Path(odd).write_bytes(b"")
    for path in (*map(str, tmp_path.glob("[hct]*.png")), odd, str(tmp_path / "absent.png")):
        if path.endswith("whole.png"):
            continue
        with pytest.raises(OSError, match="cannot be read as an image") as refused:
            read_image(path)
        said = str(refused.value)
        assert Path(path).stem[:3] in said and "\n" not in said and said.encode()
