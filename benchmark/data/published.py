"""The published files of MNIST, Fashion-MNIST and Kuzushiji-MNIST, which torchvision reads without a check."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path

from benchmark.errors import UsageError

# The MD5 hashes of the extracted files whose archives have the hashes that torchvision knows; those of KMNIST are not
# known here.
HASHES = {
    "MNIST": {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    "FashionMNIST": {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
}
# In bytes: a head of four numbers, or two for labels, and one for each pixel or label.
SIZES = {
    "train-images-idx3-ubyte": 16 + 60_000 * 28 * 28,
    "train-labels-idx1-ubyte": 8 + 60_000,
    "t10k-images-idx3-ubyte": 16 + 10_000 * 28 * 28,
    "t10k-labels-idx1-ubyte": 8 + 10_000,
}


def check_published(name: str, raw: Path, archives: Mapping[str, str]) -> None:
    """Raise UsageError, which names each wrong or missing file, if an extracted file in `raw` is not the published one.

    A file is known by its hash, or else by its size and by the archive of the published hash, if one lies there.
    `archives` holds these hashes.
    """
    paths = {raw / Path(archive).stem: md5 for archive, md5 in archives.items()}
    found = {path.name: _held(name, path, md5) if path.exists() else "missing" for path, md5 in paths.items()}
    if wrong := {held for held in found.values() if held not in (name, "missing")}:
        others = sorted(wrong & set(HASHES)) or ["other data"]
        raise UsageError(
            f"the files of {name} in {raw} hold {' and '.join(others)}, not the published {name} "
            f"({', '.join(f'{file} is {held}' for file, held in found.items() if held != name)}); "
            "replace them, or name with --data the folder that holds it"
        )


def _held(name: str, path: Path, md5: str) -> str:
    """Return the name of the data set that a file is of, or what is wrong with it."""
    from torchvision.datasets.utils import check_integrity

    content, file, archive = path.read_bytes(), path.name, path.with_name(f"{path.name}.gz")
    own, hashed = HASHES.get(name, {}).get(file), hashlib.md5(content, usedforsecurity=False).hexdigest()
    known = next((data_set for data_set, hashes in HASHES.items() if hashes[file] == hashed), None)
    if known:
        return known
    if len(content) != SIZES[file]:
        return f"{len(content)} bytes long and not {SIZES[file]}"
    if own or (check_integrity(archive, md5) and gzip.decompress(archive.read_bytes()) != content):
        return "changed"
    return name
