"""Files are replaced whole or not at all, and on disk before what they replace goes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark.records.files import remove_partial, replacing
from benchmark.records.repair import compress, repair
from benchmark.records.table import append, read

TWO = ("name", "number")


def test_a_file_stays_as_it_was_when_its_replacement_fails(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with pytest.raises(OSError, match="disk is full"), replacing(path) as file:
        file.write(b"half of the new")
        raise OSError("disk is full")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
    with replacing(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new" and path.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path, target = tmp_path / "link", tmp_path / "target"
    path.symlink_to(target)
    with replacing(path) as file:
        file.write(b"new")
    assert path.is_symlink() and target.read_bytes() == b"new"


def test_a_planted_link_is_replaced_where_links_are_not_followed(tmp_path: Path) -> None:
    path, other = tmp_path / "link", tmp_path / "other"
    other.write_text("not ours")
    path.symlink_to(other)
    with replacing(path, follow=False) as file:
        file.write(b"new")
    assert not path.is_symlink() and path.read_bytes() == b"new" and other.read_text() == "not ours"


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".runs.csv.0123abcd.partial").write_bytes(b"half")
    (tmp_path / "runs.csv").write_bytes(b"whole")
    remove_partial(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]


@pytest.mark.parametrize("change", ["repair", "compress"])
def test_file_and_folder_are_flushed_before_the_old_copy_goes(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "curves.csv"
    append(path, TWO, [("a", 1)])
    if change == "repair":
        path.write_bytes(path.read_bytes() + b"torn")
    calls: list[str] = []

    def noted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            folder = name == "fsync" and Path(f"/proc/self/fd/{arguments[0]}").is_dir()
            calls.append("folder" if folder else "file" if name == "fsync" else name)
            return function(*arguments, **options)

        return call

    for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "unlink")):
        monkeypatch.setattr(owner, name, noted(name, getattr(owner, name)))
    repair(path, TWO) if change == "repair" else compress(path, above=0)
    assert (
        calls[-4:]
        == {
            "repair": ["folder", "file", "replace", "folder"],
            "compress": ["replace", "folder", "unlink", "folder"],
        }[change]
    )
    assert calls[calls.index("replace") - 1] == "file"


def test_a_power_cut_after_compression_loses_no_row(tmp_path: Path) -> None:
    image, mount, copy = tmp_path / "disk", tmp_path / "mount", tmp_path / "copy"
    mount.mkdir()
    if os.geteuid() or not shutil.which("mkfs.ext4"):
        pytest.skip("needs root and mkfs.ext4 to make a file system")
    with image.open("wb") as file:
        file.truncate(32 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True, capture_output=True)
    if subprocess.run(["mount", "-o", "loop", image, mount], check=False, capture_output=True).returncode:
        pytest.skip("this machine mounts no loop devices")
    try:
        append(mount / "curves.csv", TWO, [(f"run{i}", i) for i in range(100_000)])
        compress(mount / "curves.csv")
        shutil.copyfile(image, copy)  # as the power cut leaves the disk
    finally:
        subprocess.run(["umount", mount], check=True)
    subprocess.run(["mount", "-o", "loop", copy, mount], check=True)
    try:
        shutil.copyfile(mount / "curves.csv.gz", tmp_path / "found.csv.gz")
    finally:
        subprocess.run(["umount", mount], check=True)
    subprocess.run(["gzip", "-d", tmp_path / "found.csv.gz"], check=True)
    assert len(read(tmp_path / "found.csv", TWO)) == 100_000
