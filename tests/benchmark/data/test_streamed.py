"""Folders of images: they are read on demand, and the results do not depend on the reading processes."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from benchmark.data.batches import Batches
from benchmark.data.image_folder import image_folder
from benchmark.data.inputs import InMemory
from benchmark.data.seeds import generator
from benchmark.data.split import Data
from benchmark.data.streamed import ImageReaders
from benchmark.engines.dispatch import run_all
from benchmark.engines.settings import Settings
from benchmark.errors import UsageError
from benchmark.experiments.run import Run
from benchmark.records.table import read
from benchmark.tasks.registry import get_task
from benchmark.training.evaluation import evaluate
from benchmark.training.loop import train
from methods.core.registry import parse
from tests.builders import sparsefront
from tests.processes import ended, number_of, started, wait_for, waiting

SHAPE = (3, 32, 32)


def write_folder(root: Path, per_class: int = 20) -> None:
    """Write images of several sizes: noise around the grey of their class; one image of each class has no colours."""
    chance = torch.Generator().manual_seed(0)
    for label, name in enumerate(("n01", "n02")):
        for part, count in (("train", per_class), ("val", 4)):
            (root / part / name).mkdir(parents=True)
            for i in range(count):
                pixels = torch.randint(120 * label, 120 * label + 130, (40 + i, 50, 3), generator=chance).byte()
                picture = Image.fromarray(pixels.numpy()).convert("L" if i == 0 else "RGB")
                picture.save(root / part / name / f"{name}_{i}.JPEG")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_folder(folder / "greys")
    return folder


class Forking(torch.utils.data.DataLoader[Any]):
    """A loader whose processes fork from this one, so that they need not import timm, which takes seconds."""

    def __init__(self, dataset: Any, multiprocessing_context: str | None, **settings: Any):
        super().__init__(dataset, multiprocessing_context=multiprocessing_context and "fork", **settings)


@pytest.fixture(scope="module", autouse=True)
def readers_start_in_a_moment() -> Iterator[None]:
    """Fork the processes that read images. The test in tests/project/test_console.py starts some as users do."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(torch.utils.data, "DataLoader", Forking)
        yield


# torch warns of more processes than cores.
TWO = pytest.param(2, id="two processes", marks=pytest.mark.filterwarnings("ignore:This DataLoader will create"))


@pytest.fixture(scope="module", params=[pytest.param(0, id="alone"), TWO])
def readers(request: pytest.FixtureRequest) -> Iterator[ImageReaders]:
    """Start reading processes that the tests of this module share."""
    with closing(ImageReaders(request.param)) as readers:
        yield readers


def load(folder: Path, readers: ImageReaders | None = None) -> Data:
    return image_folder("greys", SHAPE, 2, 40)(folder).to("cpu", readers)


def test_a_folder_is_split_like_every_data_set(folder: Path) -> None:
    loaded = load(folder)
    splits = (loaded.train, loaded.val, loaded.test)
    assert [tuple(inputs.shape) for inputs, _ in splits] == [(36, *SHAPE), (4, *SHAPE), (8, *SHAPE)]
    assert [labels.bincount().tolist() for _, labels in splits] == [[18, 18], [2, 2], [4, 4]]
    paths = [path for inputs, _ in splits for path in inputs.paths]  # type: ignore[attr-defined]
    assert len(set(paths)) == len(paths) == 48
    for inputs, labels in splits:
        assert [f"n0{label + 1}" for label in labels] == [Path(path).parent.name for path in inputs.paths]  # type: ignore[attr-defined]


def test_streamed_images_equal_those_in_memory(folder: Path, readers: ImageReaders) -> None:
    inputs, labels = load(folder, readers).train
    whole = inputs[:]
    assert whole.shape == inputs.shape and whole.dtype == torch.float32
    assert ((whole.mean((1, 2, 3)) > 0).long() == labels).all()
    chosen = torch.tensor([5, 0, 35])
    assert torch.equal(inputs[chosen], whole[chosen]) and torch.equal(inputs[:1], whole[:1])
    assert torch.equal(torch.cat(list(inputs.split(7))), whole)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 2))
    assert evaluate(model, (inputs, labels))[:2] == evaluate(model, (InMemory(whole), labels))[:2]


def test_augmentation_depends_on_the_seed_alone_and_changes_no_other_draws(folder: Path, readers: ImageReaders) -> None:
    inputs, _ = load(folder, readers).train
    batches = list(torch.arange(36).split(6))
    before = torch.get_rng_state(), random.getstate()
    epoch = [one for (one,) in inputs.batch_reader(None)([batches], [generator(0, "augmentation")])]
    assert torch.equal(before[0], torch.get_rng_state()) and before[1] == random.getstate()
    chance = generator(0, "augmentation")
    rest = [one for (one,) in inputs.batch_reader(None)([batches[4:]], [chance])]  # an epoch that is gone on with
    assert all(torch.equal(one, other) for one, other in zip(epoch[4:], rest, strict=True))
    following, *_ = next(inputs.batch_reader(None)([batches], [chance]))
    backwards = batches[::-1]
    both = list(inputs.batch_reader(None)([batches, backwards], [generator(seed, "augmentation") for seed in (0, 1)]))
    assert all(torch.equal(one, other) for one, (other, _) in zip(epoch, both, strict=True))
    alone = [one for (one,) in inputs.batch_reader(None)([backwards], [generator(1, "augmentation")])]
    assert all(torch.equal(one, other) for one, (_, other) in zip(alone, both, strict=True))
    other_seed = alone[-1]
    plain = inputs[batches[0]]
    for other in (following, other_seed, plain):
        assert not torch.equal(epoch[0], other)
    assert EPOCH.setdefault("first", epoch[0]).equal(epoch[0])  # whoever reads


EPOCH: dict[str, torch.Tensor] = {}


def test_batches_for_statistics_are_cropped_and_the_same_at_every_call(folder: Path, readers: ImageReaders) -> None:
    train = load(folder, readers).train
    batches = Batches(train, None, 6, [0, 1])
    sample = torch.cat(list(batches.sample(15)))  # two whole batches
    assert len(sample) == 12 and torch.equal(sample, torch.cat(list(batches.sample(15))))
    order = torch.randperm(36, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(sample, train[0][order[:12]])


def test_training_on_a_folder_resumes_within_an_epoch(folder: Path, readers: ImageReaders, tmp_path: Path) -> None:
    from benchmark.training.checkpoint import Checkpoint

    stop = threading.Event()

    small = replace(get_task("timm:resnet10t-greys[classes=2,images=40]"), batch_size=6)
    task = replace(small, model=lambda: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 2)))
    arguments = (task, parse("dwf[depth=2]"), [1.0], [0], 2, 0.02, load(folder, readers), "float32")

    def final(checkpoint: Checkpoint | None = None) -> dict[str, object]:
        measured = train(*arguments, checkpoint, stop=stop)[0].measured
        return {name: getattr(measured, name) for name in ("status", "steps", "train_loss", "test_loss")}

    class Stopping(Checkpoint):
        """A checkpoint that stops the training before its fourth step."""

        asked = 0

        def due(self) -> bool:
            self.asked += 1
            if self.asked == 3:
                stop.set()
            return False

    uninterrupted = final()
    with pytest.raises(KeyboardInterrupt):
        final(Stopping(tmp_path, ["key"]))
    stop.clear()
    assert list(tmp_path.glob("*.pt"))
    assert final(Checkpoint(tmp_path, ["key"])) == uninterrupted
    assert uninterrupted["steps"] == 12


def test_images_are_read_again_after_a_reading_process_died(folder: Path) -> None:
    inputs, _ = load(folder, ImageReaders(1)).train
    others = multiprocessing.active_children()
    expected = inputs[:2]
    (reader,) = set(multiprocessing.active_children()) - set(others)
    with suppress(RuntimeError):  # torch may say so as soon as it hears of it
        reader.kill()
        reader.join()
    with pytest.raises(RuntimeError, match=r"exited unexpectedly|killed by signal"):
        inputs[:]
    assert torch.equal(inputs[:2], expected)


TASK = """
import torch
from dataclasses import replace
from benchmark.tasks.registry import get_task, task
from tests.benchmark.data.test_streamed import Forking

torch.utils.data.DataLoader = Forking


def perceptron():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.AvgPool1d(1024), torch.nn.Linear(147, 2))


@task
def small_greys():
    '''A small network on the folder, in batches of 6.'''
    return replace(get_task("timm:resnet10t-greys[classes=2,images=40]"), model=perceptron, batch_size=6)
"""


def test_stopping_all_processes_of_a_run_loses_nothing(folder: Path, tmp_path: Path) -> None:
    plugin = waiting(tmp_path, 0.5, step=8)  # in the second of three epochs
    plugin.write_text(plugin.read_text() + TASK)
    command = [
        "run", "vit-cifar10", "--tasks", "small-greys", "--methods", "waiting", "--values", "0.5", "--seeds", "0",
        "--epochs", "3", "--plugin", str(plugin), "--data", str(folder), "--results", str(tmp_path),
    ]  # fmt: skip
    with started(*command, output=tmp_path / "told") as process:
        wait_for((tmp_path / "0.5.begun").exists, process)
        os.killpg(number_of(process), signal.SIGINT)
        process.join()
    told = (tmp_path / "told").read_text()
    assert process.exitcode == 130 and "the same command goes on" in told and "Traceback" not in told
    assert not (tmp_path / "vit-cifar10" / "runs.csv").exists()
    assert len(list(tmp_path.glob("vit-cifar10/checkpoints/*.pt"))) == 1
    status, said = ended(*command, output=tmp_path / "again")
    assert status == 0, said
    (row,) = read(tmp_path / "vit-cifar10" / "runs.csv")
    assert (row["status"], row["steps"]) == ("ok", "18")


def test_a_run_on_a_folder_is_measured_like_any_other(folder: Path) -> None:
    run = Run("timm:test_resnet-greys[classes=2,images=40]", "snip", 0.1, 0, 1, 0.05)
    results = dict(pair for part in run_all([[run]], Settings("cpu", folder), 1) for pair in part)
    measured = results[run].measured
    assert not measured.error and 0 <= float(str(measured.test_accuracy)) <= 100


def test_a_damaged_image_is_named(tmp_path: Path, readers: ImageReaders) -> None:
    write_folder(tmp_path / "greys")
    damaged = tmp_path / "greys" / "train" / "n02" / "n02_3.JPEG"
    damaged.write_bytes(b"no image")
    inputs, _ = load(tmp_path, readers).train
    with pytest.raises(OSError, match=r"^[^\n]*n02_3.JPEG cannot be read as an image [^\n]*$"):
        inputs[:]


def test_unsuitable_folders_are_rejected_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"train/CLASS and val/CLASS; .* --data"):
        load(tmp_path)
    write_folder(tmp_path / "greys", per_class=10)
    with pytest.raises(UsageError, match="2 classes and 20 images in train, not 2 and 40"):
        load(tmp_path)
    (tmp_path / "greys" / "val" / "n01").rename(tmp_path / "greys" / "val" / "n03")
    with pytest.raises(UsageError, match="different classes: val has no images of n01, train has no images of n03"):
        load(tmp_path)
    (tmp_path / "greys" / "val").rename(tmp_path / "greys" / "test")
    with pytest.raises(UsageError, match=r"greys/val cannot be read \(No such file or directory\); .* --data"):
        load(tmp_path)
    (tmp_path / "greys" / "val" / "n01").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"greys/val holds no folders with images; .* --data"):
        load(tmp_path)


def test_a_network_that_does_not_take_small_images_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for written in ("timm:halonet26t-cifar10", "timm:halonet26t-cifar100"):
        with pytest.raises(UsageError, match=r"halonet26t does not take images of 32 x 32 \(AssertionError: .+\)"):
            get_task(written)
    planned = ["plan", "vit-cifar10", "--tasks", "timm:halonet26t-cifar10", "--methods", "dense"]
    assert sparsefront(monkeypatch, *planned) == 2
    assert capfd.readouterr().err.startswith("error: timm's model halonet26t does not take images of 32 x 32 (")


def test_tasks_on_folders_know_their_size() -> None:
    imagenet = get_task("timm:resnet26-imagenet")
    assert (imagenet.classes, imagenet.examples, imagenet.shape) == (1000, 1_153_050, (3, 224, 224))
    vit = get_task("timm:vit_tiny_patch16_224-birds[classes=3,images=100]")
    assert vit.model()(torch.zeros(1, *vit.shape)).shape == (1, 3) and vit.examples == 90
    for written, said in [
        ("timm:resnet26-birds", r"timm:MODEL-FOLDER\[classes=K,images=N\]"),
        ("timm:resnet26-birds[classes=3]", r"timm:MODEL-FOLDER\[classes=K,images=N\]"),
        ("timm:resnet26-birds[classes=3,width=2]", "has no option 'width'; its options are classes, images"),
        ("timm:resnet26-birds[classes=3,images=2.5]", "option images of .* takes a whole number in .*, not '2.5'"),
        ("timm:resnet26-birds[classes=nan,images=2]", "option classes of .* takes a whole number in .*, not 'nan'"),
        ("timm:resnet26-cifar10[classes=3]", "no option 'classes'; its options are weights, frozen, batch_size"),
        ("timm:resnut26-my-birds[classes=3,images=2]", "no model 'resnut26'"),
    ]:
        with pytest.raises(UsageError, match=said):
            get_task(written)
