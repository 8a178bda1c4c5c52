"""Benchmark of training loops: images per second of several loops, and the most that the machine allows."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchmark.data.split import Batch, Data, Split
from benchmark.profiling.timing import Step, Turn, alternate, show, timed
from benchmark.tasks.registry import get_task
from benchmark.tasks.task import Task
from benchmark.training.devices import numerics
from benchmark.training.evaluation import autocast
from benchmark.training.loop import train
from methods.core.optimizers import Sgd
from methods.core.registry import parse

# Batches in an epoch of a lone run and of a pack, so few that all turns together take two minutes on a CPU.
BATCHES = {"lenet300-fmnist": (40, 4), "lenet5-fmnist": (4, 1), "resnet18-cifar10": (20, 2)}
PACKS = (1, 4, 16, 64)
DWF = "dwf[depth=3,init=ones]"  # its steps take as long as those of the default, whose factors take long to draw
AIMS = "; aims of our dense: 8, 0.95"  # they hold for LeNet-300-100 on a CPU


def published(task: Task, train: Split) -> Callable[[], Iterable[Batch]]:
    """Return batches as published suites load them: torchvision's transforms of PIL images in a DataLoader."""
    from torchvision import datasets, transforms

    inputs, labels = train[0][:], train[1]
    channels, side, _ = task.shape
    images = (255 * (inputs - inputs.min()) / (inputs.max() - inputs.min())).byte().cpu()
    dataset: Any = object.__new__(
        datasets.CIFAR10 if channels == 3 else datasets.FashionMNIST
    )  # __init__ would read files
    dataset.data = images.permute(0, 2, 3, 1).numpy() if channels == 3 else images.squeeze(1)
    dataset.targets, dataset.target_transform = labels.tolist(), None
    chain = [transforms.ToTensor(), transforms.Normalize([0.5] * channels, [0.5] * channels)]
    if task.augmentation:
        chain = [transforms.RandomCrop(side, task.augmentation.shift), transforms.RandomHorizontalFlip(), *chain]
    dataset.transform = transforms.Compose(chain)
    # There are no worker processes, like in OpenLTH by default and in Synaptic-Flow on a CPU.
    loader = torch.utils.data.DataLoader(dataset, task.batch_size, shuffle=True)
    return lambda: loader


def resident(task: Task, train: Split) -> Callable[[], Iterable[Batch]]:
    """Return batches of tensors that are on the device already."""
    inputs, labels = train[0][:], train[1]
    order = partial(torch.randperm, len(labels), device=labels.device)
    return lambda: ((inputs[batch], labels[batch]) for batch in order().split(task.batch_size))


def plain_epoch(
    task: Task, model: torch.nn.Module, batches: Callable[[], Iterable[Batch]], read_loss: bool, precision: str
) -> Step:
    """Return an epoch of a plain model by torch.optim.SGD, which reads each loss back to the host if asked."""
    assert isinstance(task.optimizer, Sgd)
    momentum, decay = task.optimizer.momentum, task.weight_decay
    optimizer = torch.optim.SGD(model.parameters(), task.learning_rate, momentum, weight_decay=decay)
    device = next(model.parameters()).device

    def epoch() -> None:
        for x, y in batches():
            x, y = x.to(device), y.to(device)
            optimizer.zero_grad()
            with autocast(precision, device):
                loss = functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            if read_loss:
                loss.item()

    return epoch


def our_epoch(task: Task, method: str, runs: int, data: Data, precision: str) -> Turn:
    """Return an epoch of the suite's loop for a pack of runs; its milliseconds do not include evaluation."""

    def turn() -> float:
        try:
            result, *_ = train(task, parse(method), [1.0] * runs, [0] * runs, 1, task.learning_rate, data, precision)
        except torch.OutOfMemoryError:
            return math.nan
        assert result.measured.train_seconds is not None
        return 1000 * runs * result.measured.train_seconds

    return turn


def work(task: Task) -> dict[str, float]:
    """Return the operations and bytes that training needs for one image at least, its share of a batch included."""
    model, inputs = task.model(), task.zeros(2)  # batch norm needs two inputs
    with FlopCounterMode(display=False) as counter:
        model(inputs).sum().backward()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    # A step reads its images, and it reads and writes weights, gradients and momenta.
    numbers = math.prod(task.shape) + 6 * parameters / task.batch_size
    return {"operations": counter.get_total_flops() / 2, "bytes": 4 * numbers}


def peaks(device: str, precision: str) -> dict[str, tuple[Turn, float]]:
    """Return a product of large matrices and a copy of more than the caches hold, with their operations and bytes."""
    large = 1 if device == "cpu" else 4
    matrix = torch.randn(2048 * large, 2048 * large, device=device)
    matrix = matrix.bfloat16() if precision == "bf16" else matrix
    source = torch.zeros(2**26 * large, device=device)
    target = torch.empty_like(source)
    return {
        "operations": (timed(lambda: matrix @ matrix, 1, device), 2 * len(matrix) ** 3),
        "bytes": (timed(lambda: target.copy_(source), 1, device), 2 * source.nbytes),
    }


def per_second(contenders: Mapping[str, tuple[Turn, float]], rounds: int) -> dict[str, float]:
    """Return the amount that each contender does in a second, given its turn and the amount that the turn does."""
    times = alternate({name: turn for name, (turn, _) in contenders.items()}, rounds)
    return {name: 1000 * amount / times[name] for name, (_, amount) in contenders.items()}


def bench_throughput(device: str, rounds: int) -> None:
    """Print the speed of loops and packs for the LeNets and, on an accelerator, for ResNet-18 in bf16."""
    with numerics():
        for task in BATCHES:
            if device != "cpu" or task != "resnet18-cifar10":
                _bench_task(task, device, rounds)


def _bench_task(name: str, device: str, rounds: int) -> None:
    task, needed = get_task(name), work(get_task(name))
    precision = "bf16" if name == "resnet18-cifar10" else "float32"
    data, few = (task.synthetic_batches(batches).to(device) for batches in BATCHES[name])
    models = [task.model().to(device) for _ in range(2)]
    loops = {
        "DataLoader": timed(plain_epoch(task, models[0], published(task, data.train), True, precision), 1, device),
        "bare loop": timed(plain_epoch(task, models[1], resident(task, data.train), False, precision), 1, device),
        "our dense": our_epoch(task, "dense", 1, data, precision),
        f"our {DWF}": our_epoch(task, DWF, 1, data, precision),
    }
    images, few_images = len(data.train[1]), len(few.train[1])
    measured = per_second(peaks(device, precision) | {loop: (loops[loop], images) for loop in loops}, rounds)
    turns = {
        f"{each}, {runs}": (our_epoch(task, "dense", runs, few, each), runs * few_images)
        for each in dict.fromkeys((precision, "bf16"))
        for runs in PACKS
    }
    packs = per_second(turns, rounds)

    title = f"{name}, batch {task.batch_size}, {precision}, {device}"
    limits = {kind: measured[kind] / needed[kind] for kind in needed}
    floor = min(limits.values())
    rows = [[kind, f"{needed[kind]:,.0f}", f"{measured[kind]:.2e}", f"{limits[kind]:,.0f}"] for kind in needed]
    show(f"floor of {title}", ["of", "an image takes", "per second, measured", "images/s at most"], rows)
    rows = []
    for loop in loops:
        ratios = [measured[loop] / measured["DataLoader"], measured[loop] / measured["bare loop"]]
        rows.append([loop, f"{measured[loop]:,.0f}", *(f"{ratio:.2f}" for ratio in (*ratios, floor / measured[loop]))])
    aims = AIMS if (name, device) == ("lenet300-fmnist", "cpu") else ""
    show(title + aims, ["loop", "images/s", "ratio to DataLoader", "ratio to bare loop", "time / floor's"], rows)
    rows = []
    for pack, speed in packs.items():
        each, runs = packs[f"{precision}, 1"] / speed, int(pack.split()[-1])
        rows.append([pack, f"{speed:,.0f}", *(f"{ratio:.2f}" for ratio in (runs * each, each, floor / speed))])
    columns = [
        "dense runs in a pack",
        "images/s of all",
        f"time / {precision} run's",
        "of each run",
        f"time / {precision} floor's",
    ]
    show(f"packs of {title}", columns, rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    bench_throughput(arguments.device, arguments.rounds)
