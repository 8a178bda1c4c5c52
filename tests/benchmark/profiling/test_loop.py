"""The benchmark of training speed: the loops that it times, and the floor that it compares them with."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from benchmark.data.augmentation import Augmentation
from benchmark.profiling import loop
from benchmark.profiling.loop import bench_throughput, our_epoch, plain_epoch, published, resident, work
from methods import dwf
from tests.builders import batch_norm_cnn, mlp, toy_task

MADE = toy_task().synthetic_batches(5)


def watched() -> tuple[torch.nn.Module, list[int]]:
    """Return a model and the list of the batch sizes that it is trained on."""
    model, sizes = mlp(), list[int]()
    model.register_forward_pre_hook(lambda model, x: sizes.append(len(x[0])) if model.training else None)
    return model, sizes


def loss(model: torch.nn.Module) -> float:
    with torch.no_grad():
        return float(functional.cross_entropy(model.eval()(MADE.train[0][:]), MADE.train[1]))


def test_a_plain_epoch_trains_on_every_image_with_either_loader() -> None:
    for load, read_loss in ((published, True), (resident, False)):
        model, sizes = watched()
        epoch = plain_epoch(toy_task(), model, load(toy_task(), MADE.train), read_loss, "float32")
        for _ in range(3):
            epoch()
        assert sizes == [100] * 15
        assert loss(model) < 0.8 * loss(mlp())


@pytest.mark.parametrize("method", ["dense", loop.DWF])
def test_our_epoch_trains_on_equally_many_images_a_step(method: str) -> None:
    model, sizes = watched()
    task = toy_task(lambda seed: model, learning_rate=0.5)
    assert our_epoch(task, method, 1, MADE, "float32")() > 0
    assert sizes == [100] * 5
    assert loss(model) < 0.8 * loss(mlp())


def test_both_loaders_load_the_same_images() -> None:
    """The images agree to 8 bits and up to a scale, in another order."""
    task = toy_task(batch_size=500)
    ((loaded, labels),), ((inputs, same_labels),) = (list(load(task, MADE.train)()) for load in (published, resident))
    low, high = inputs.min(), inputs.max()
    scaled = 2 * (inputs - low) / (high - low) - 1
    assert labels.bincount().equal(same_labels.bincount())
    for image, label in zip(loaded[:5], labels[:5], strict=True):
        distances = (scaled - image).abs().amax((1, 2, 3))
        assert distances.min() < 0.01 and same_labels[distances.argmin()] == label


def test_colour_images_are_augmented() -> None:
    task = toy_task(shape=(3, 8, 8), batch_size=50, augmentation=Augmentation(shift=2))
    (batch, _), (again, _) = (next(iter(published(task, task.synthetic_batches(1).train)())) for _ in range(2))
    assert batch.shape == again.shape == (50, 3, 8, 8)
    assert (batch == -1).any()  # the black border


def test_a_pack_that_does_not_fit_has_no_speed() -> None:
    def model(seed: int) -> torch.nn.Module:
        raise torch.OutOfMemoryError

    assert math.isnan(our_epoch(toy_task(model), "dense", 2, MADE, "float32")())


def test_the_floor_equals_the_one_worked_out_by_hand() -> None:
    needed = work(toy_task())  # 16 - 12 - 4, batch 100
    # Two operations for a multiply-add; forward and the weights' gradient, but no gradient of the images.
    assert needed["operations"] == 2 * (2 * 16 * 12 + 3 * 12 * 4)
    parameters = 16 * 12 + 12 + 12 * 4 + 4
    assert needed["bytes"] == pytest.approx(4 * (16 + 6 * parameters / 100))
    assert work(toy_task(batch_norm_cnn))["operations"] > 0


def test_the_benchmark_runs_at_a_small_size(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loop, "BATCHES", {"lenet300-fmnist": (1, 1)})
    monkeypatch.setattr(loop, "PACKS", (1, 2))
    monkeypatch.setattr(dwf, "COMPILE_FROM", math.inf)
    monkeypatch.setenv("COLUMNS", "200")
    try:
        bench_throughput("cpu", 1)
    finally:
        torch.set_flush_denormal(False)
    told = capsys.readouterr().out
    assert "1,126,800" in told  # six operations for each of 266,200 weights, less the gradient of the images
    names = ("operations", "bytes", "DataLoader", "bare loop", "our dense", loop.DWF, loop.AIMS)
    assert all(name in told for name in (*names, "float32, 2", "bf16, 2")) and "nan" not in told
