"""Data sets: their split and the folders that they are found in. The tests write files in the original formats."""

from __future__ import annotations

import copy
import gzip
import hashlib
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

from benchmark.data import in_memory, published
from benchmark.data.in_memory import by_torchvision, digits, tiny_imagenet
from benchmark.data.inputs import InMemory
from benchmark.data.objective import Classification
from benchmark.data.split import split
from benchmark.errors import UsageError
from benchmark.tasks.registry import TASKS, get_task


def write_idx(path: Path, array: torch.Tensor, compressed: bool = False) -> None:
    """Write a file of MNIST: two zero bytes, 8 for uint8, the number of dimensions, their sizes, the bytes."""
    content = struct.pack(f">HBB{array.dim()}I", 0, 8, array.dim(), *array.shape) + array.numpy().tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if compressed else content)


def write_mnist(raw: Path, compressed: bool = False) -> None:
    generator = torch.Generator().manual_seed(0)
    for name, n in (("train", 100), ("t10k", 20)):
        images = torch.randint(0, 256, (n, 28, 28), generator=generator, dtype=torch.uint8)
        labels = (torch.arange(n) % 10).to(torch.uint8)
        suffix = ".gz" if compressed else ""
        write_idx(raw / f"{name}-images-idx3-ubyte{suffix}", images, compressed)
        write_idx(raw / f"{name}-labels-idx1-ubyte{suffix}", labels, compressed)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the published files have the sizes of those that `write_mnist` writes, and no known hash."""
    sizes = {"train-images": 16 + 100 * 784, "train-labels": 108, "t10k-images": 16 + 20 * 784, "t10k-labels": 28}
    files = {f"{part}-idx{3 if 'images' in part else 1}-ubyte": size for part, size in sizes.items()}
    monkeypatch.setattr(published, "SIZES", files)
    monkeypatch.setattr(published, "HASHES", {})


def hashes(raw: Path) -> dict[str, str]:
    return {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in raw.iterdir()}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
def test_data_in_the_layout_of_torchvision_is_found(name: str, tmp_path: Path) -> None:
    write_mnist(tmp_path / name / "raw")
    loaded = by_torchvision(name)(tmp_path)
    assert [tuple(x.shape) for x, _ in (loaded.train, loaded.val, loaded.test)] == [
        (90, 1, 28, 28), (10, 1, 28, 28), (20, 1, 28, 28),
    ]  # fmt: skip
    assert loaded.train[0][:].mean().item() == pytest.approx(0, abs=1e-5)
    assert loaded.train[0][:].std().item() == pytest.approx(1, abs=1e-5)


def test_fashion_mnist_of_the_debian_package_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_mnist(tmp_path / "debian", compressed=True)
    monkeypatch.setattr(in_memory, "DEBIAN_FASHION_MNIST", tmp_path / "debian")
    user = tmp_path / "user"
    assert len(by_torchvision("FashionMNIST")(user).test[1]) == 20
    assert not user.exists()


@pytest.mark.parametrize(
    ("name", "folder", "key"),
    [("CIFAR10", "cifar-10-batches-py", "labels"), ("CIFAR100", "cifar-100-python", "fine_labels")],
)
def test_cifar_is_read_from_its_python_files(
    name: str, folder: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision import datasets

    dataset, classes = getattr(datasets, name), int(name[5:])
    (tmp_path / folder).mkdir()
    images = torch.randint(0, 256, (2 * classes, 3, 32, 32), generator=torch.Generator().manual_seed(0)).byte()
    for list_ in ("train_list", "test_list"):
        files = []
        for file, _ in getattr(dataset, list_):
            content = {"data": images.flatten(1).numpy(), key: (torch.arange(2 * classes) % classes).tolist()}
            (tmp_path / folder / file).write_bytes(pickle.dumps(content))
            files.append((file, hashlib.md5((tmp_path / folder / file).read_bytes()).hexdigest()))
        monkeypatch.setattr(dataset, list_, files)
    meta = dict(dataset.meta)
    (tmp_path / folder / meta["filename"]).write_bytes(pickle.dumps({meta["key"]: [str(i) for i in range(classes)]}))
    meta["md5"] = hashlib.md5((tmp_path / folder / meta["filename"]).read_bytes()).hexdigest()
    monkeypatch.setattr(dataset, "meta", meta)
    loaded = by_torchvision(name)(tmp_path)
    assert len(loaded.test[1]) == 2 * classes and loaded.test[0].shape[1:] == (3, 32, 32)
    pixels = images.float() / 255
    std, mean = (loaded.test[0][:].std((0, 2, 3)), loaded.test[0][:].mean((0, 2, 3)))
    assert torch.allclose(std, torch.ones(3), atol=0.05) and torch.allclose(mean, torch.zeros(3), atol=0.05)
    # an image is what it was, but for one affine map a channel
    for channel in range(3):
        before, after = pixels[:, channel].flatten(), loaded.test[0][:][:, channel].flatten()
        assert torch.corrcoef(torch.stack([before, after]))[0, 1] > 0.9999


def test_tiny_imagenet_is_read_from_its_own_layout(tmp_path: Path) -> None:
    root, names = tmp_path / "tiny-imagenet-200", ["n02", "n01"]
    (root / "val" / "images").mkdir(parents=True)
    (root / "wnids.txt").write_text("\n".join(names) + "\n")
    annotations = []
    for label, name in enumerate(names):
        (root / "train" / name / "images").mkdir(parents=True)
        for i in range(10):  # dark and bright images; every third one grey, as some are
            image = Image.new("L" if i % 3 == 0 else "RGB", (64, 64), "white" if label else "black")
            image.save(root / "train" / name / "images" / f"{name}_{i}.JPEG")
        image.save(root / "val" / "images" / f"val_{label}.JPEG")
        annotations.append(f"val_{label}.JPEG\t{name}\t0\t0\t63\t63\n")
    (root / "val" / "val_annotations.txt").write_text("".join(annotations))
    loaded = tiny_imagenet(tmp_path)
    assert loaded.train[0].shape == (18, 3, 64, 64) and loaded.val[1].tolist() == [0, 1]
    assert loaded.test[1].tolist() == [0, 1]
    for images, labels in (loaded.train, loaded.val, loaded.test):
        assert ((images[:].mean((1, 2, 3)) > 0).long() == labels).all()
    (root / "train" / "n01" / "images" / "n01_0.JPEG").write_bytes(b"no image")
    with pytest.raises(UsageError, match=r"tiny-imagenet-200 cannot be read .* --data"):
        tiny_imagenet(tmp_path)
    with pytest.raises(UsageError, match=r"wnids.txt.* --data"):
        tiny_imagenet(tmp_path / "nowhere")


def test_missing_data_is_an_error_that_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision import datasets

    def unreachable(self: object) -> None:
        (tmp_path / "KMNIST" / "raw").mkdir(parents=True)
        raise RuntimeError("Error downloading")

    monkeypatch.setattr(datasets.KMNIST, "download", unreachable)
    with pytest.raises(UsageError) as refused:
        by_torchvision("KMNIST")(tmp_path)
    assert all(part in str(refused.value) for part in ("KMNIST", str(tmp_path / "KMNIST" / "raw"), "--data"))
    assert not (tmp_path / "KMNIST").exists()


def test_validation_is_a_fixed_class_balanced_tenth() -> None:
    images = torch.arange(1000.0).view(-1, 1, 1, 1)  # each image tells which it was
    labels = torch.arange(1000) % 7
    loaded = split((images, labels), (images, labels))
    assert len(loaded.val[1]) == 100
    counts = loaded.val[1].bincount(minlength=7)
    assert counts.max() - counts.min() <= 1
    both = torch.cat([loaded.train[0][:], loaded.val[0][:]]).flatten().sort().values
    assert len(both.unique()) == 1000  # nothing lost, nothing twice
    again = split((images, labels), (images, labels))
    assert torch.equal(again.val[0][:], loaded.val[0][:])


@pytest.mark.parametrize(
    "changed",
    [
        lambda x: x.astype(">f4"),
        lambda x: x[:, :, ::-1][:, :, ::-1].astype("f4")[:, :, ::-1][:, :, ::-1],
        lambda x: x.astype(numpy.longdouble),
        lambda x: x.astype("uint16"),
        lambda x: torch.tensor(x).to(torch.uint16),
    ],
    ids=["big-endian", "negative strides", "long double", "uint16 array", "uint16 tensor"],
)
def test_arrays_of_all_layouts_are_read(changed: Callable[..., Any]) -> None:
    images = numpy.random.default_rng(0).integers(0, 60000, (40, 1, 4, 4))
    labels = numpy.arange(40) % 4
    expected = split((images.astype("f4"), labels), (images.astype("f4"), labels))
    found = split((changed(images), labels.astype("uint16")), (changed(images), labels.astype(">i8")))
    assert torch.allclose(found.train[0][:], expected.train[0][:])
    assert all(torch.equal(one[1], two[1]) for one, two in ((found.train, expected.train), (found.test, expected.test)))


def test_complex_inputs_are_refused() -> None:
    images, labels = torch.rand(40, 1, 4, 4, dtype=torch.complex64), torch.arange(40) % 4
    with pytest.raises(UsageError, match=r"are of type torch\.complex64, not real numbers"):
        split((images, labels), (images, labels))


def test_inputs_in_memory_show_the_numbers_of_their_tensor() -> None:
    inputs = split((torch.rand(40, 1, 4, 4), torch.arange(40) % 4), (torch.rand(4, 1, 4, 4), torch.arange(4))).train[0]
    assert isinstance(inputs, InMemory) and not inputs.isnan().any() and inputs.dtype == torch.float32
    copied = copy.deepcopy(inputs)
    assert isinstance(copied, InMemory) and torch.equal(copied.values, inputs.values)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = inputs.nothing


def test_normalization_uses_only_the_training_split() -> None:
    images = torch.randn(100, 1, 2, 2)
    labels = torch.arange(100) % 10
    one = split((images, labels), (images, labels))
    two = split((images, labels), (1e6 * images, labels))
    assert torch.equal(one.train[0][:], two.train[0][:])
    assert one.train[0][:].mean().item() == pytest.approx(0, abs=1e-6)


def test_digits_ship_with_scikit_learn(tmp_path: Path) -> None:
    loaded = digits(tmp_path)
    assert [len(y) for _, y in (loaded.train, loaded.val, loaded.test)] == [1293, 144, 360]
    assert loaded.test[1].bincount().min() >= 34
    assert len(loaded.train[1]) == get_task("lenet300-digits").examples


@pytest.mark.parametrize("name", TASKS)
def test_every_task_accepts_synthetic_data_of_its_shape(name: str) -> None:
    task = get_task(name)
    inputs, targets = task.synthetic_data().train
    shape = task.objective.output_shape(task.shape, task.classes)
    assert task.model()(inputs[:3]).shape == (3, *shape)
    if isinstance(task.objective, Classification):
        assert set(targets.tolist()) == set(range(min(task.classes, len(targets))))
    assert len(TASKS[name].__doc__ or "") > 20


def unreachable(*_: object, **__: object) -> None:
    raise RuntimeError("Error downloading")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("lacking", ["t10k-labels-idx1-ubyte", "train-images-idx3-ubyte"])
def test_a_data_set_without_one_of_its_files_is_incomplete(
    lacking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision import datasets

    monkeypatch.setattr(datasets.KMNIST, "download", unreachable)
    write_mnist(tmp_path / "KMNIST" / "raw")
    (tmp_path / "KMNIST" / "raw" / lacking).unlink()
    with pytest.raises(UsageError, match=rf"KMNIST/raw is incomplete \({lacking} is missing\) .* --data"):
        by_torchvision("KMNIST")(tmp_path)


def test_a_damaged_file_of_cifar_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision import datasets

    monkeypatch.setattr(datasets.CIFAR10, "download", unreachable)
    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-batches-py" / "test_batch").write_bytes(b"half of it")
    with pytest.raises(UsageError, match=r"data_batch_1 is missing, .*, test_batch is damaged"):
        by_torchvision("CIFAR10")(tmp_path)


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
def test_files_of_another_size_are_not_the_published_ones(name: str, tmp_path: Path) -> None:
    raw = tmp_path / name / "raw"
    write_mnist(raw)
    (raw / "t10k-images-idx3-ubyte").unlink()
    fault = r"train-images-idx3-ubyte is 78416 bytes long and not 47040016, .*t10k-images-idx3-ubyte is missing"
    with pytest.raises(UsageError, match=rf"hold other data, not the published {name} \({fault}"):
        by_torchvision(name)(tmp_path)


@pytest.mark.usefixtures("small")
def test_files_of_another_hash_are_not_the_published_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = tmp_path / "MNIST" / "raw"
    write_mnist(raw)
    monkeypatch.setattr(published, "HASHES", {"MNIST": hashes(raw)})
    assert len(by_torchvision("MNIST")(tmp_path).test[1]) == 20
    write_idx(raw / "t10k-labels-idx1-ubyte", torch.zeros(20, dtype=torch.uint8))
    with pytest.raises(UsageError, match=r"other data, not the published MNIST \(t10k-labels-idx1-ubyte is changed\)"):
        by_torchvision("MNIST")(tmp_path)
    (tmp_path / "MNIST").rename(tmp_path / "KMNIST")
    with pytest.raises(UsageError, match=r"hold MNIST, not the published KMNIST .* t10k-images-idx3-ubyte is MNIST"):
        by_torchvision("KMNIST")(tmp_path)


@pytest.mark.skipif(not in_memory.DEBIAN_FASHION_MNIST.is_dir(), reason="Debian's Fashion-MNIST is not installed")
def test_the_known_hashes_are_those_of_the_published_files() -> None:
    for file, md5 in published.HASHES["FashionMNIST"].items():
        content = gzip.decompress((in_memory.DEBIAN_FASHION_MNIST / f"{file}.gz").read_bytes())
        assert hashlib.md5(content).hexdigest() == md5 and len(content) == published.SIZES[file]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["FashionMNIST", "KMNIST"])
def test_files_are_those_of_the_archives_beside_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision import datasets

    raw = tmp_path / name / "raw"
    write_mnist(raw)
    write_mnist(raw, compressed=True)
    archives = [(file, md5) for file, md5 in hashes(raw).items() if file.endswith(".gz")]
    assert len(archives) == 4
    monkeypatch.setattr(getattr(datasets, name), "resources", archives)
    assert len(by_torchvision(name)(tmp_path).test[1]) == 20
    labels = bytearray((raw / "t10k-labels-idx1-ubyte").read_bytes())
    labels[-1] = 0
    (raw / "t10k-labels-idx1-ubyte").write_bytes(labels)
    with pytest.raises(UsageError, match=f"hold other data, not the published {name}"):
        by_torchvision(name)(tmp_path)
    monkeypatch.setattr(getattr(datasets, name), "resources", [(file, "0" * 32) for file, _ in archives])
    assert len(by_torchvision(name)(tmp_path).test[1]) == 20  # archives that were packed anew prove nothing


@pytest.mark.usefixtures("small")
def test_damaged_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    raw = tmp_path / "KMNIST" / "raw"
    size = published.SIZES["train-images-idx3-ubyte"]
    for content in (b"\0\0\x0a\3" + bytes(size - 4), bytes(size)):  # a type that no reader knows, and no head
        write_mnist(raw)
        (raw / "train-images-idx3-ubyte").write_bytes(content)
        with pytest.raises(UsageError, match=r"the files of KMNIST in .* cannot be read"):
            by_torchvision("KMNIST")(tmp_path)


def test_each_input_has_a_target() -> None:
    with pytest.raises(UsageError, match="the test set has 2 examples and 3 labels"):
        split((torch.zeros(4, 3), torch.zeros(4, dtype=torch.int64)), (torch.zeros(2, 3), torch.zeros(3)))


def test_a_constant_channel_becomes_zero() -> None:
    images, labels = torch.rand(60, 3, 4, 4), torch.arange(60) % 3
    images[:, 1] = 0.1
    loaded = split((images, labels), (images, labels))
    for inputs, _ in (loaded.train, loaded.val, loaded.test):
        assert inputs[:].isfinite().all() and inputs[:][:, 1].abs().max() < 1e-6
        assert inputs[:][:, [0, 2]].std() > 0.8


def test_features_are_normalized_one_by_one() -> None:
    features, labels = torch.randn(100, 3) * torch.tensor([1.0, 10.0, 100.0]) + 5, torch.arange(100) % 2
    loaded = split((features, labels), (features, labels))
    assert torch.allclose(loaded.train[0][:].std(0), torch.ones(3), atol=1e-4)
    assert torch.allclose(loaded.train[0][:].mean(0), torch.zeros(3), atol=1e-4)


def test_the_only_example_of_a_class_is_trained_on() -> None:
    labels = torch.cat([torch.zeros(40), torch.ones(40), torch.arange(2, 14)]).long()
    loaded = split((torch.rand(92, 1, 2, 2), labels), (torch.rand(92, 1, 2, 2), labels))
    assert set(loaded.train[1].tolist()) == set(range(14))
    assert loaded.val[1].bincount().tolist() == [4, 4]


def test_the_digest_follows_from_values_and_labels_alone() -> None:
    images, labels = torch.rand(40, 1, 4, 4), torch.arange(40) % 2
    one = split((images, labels), (images, labels)).digest
    assert len(one) == 12 and split((images.clone(), labels), (images, labels)).digest == one
    assert split((images, 1 - labels), (images, labels)).digest != one
    images[3, 0, 2, 2] += 1e-6
    assert split((images, labels), (images, labels)).digest != one
