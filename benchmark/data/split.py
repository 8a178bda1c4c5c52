"""A data set: its training, validation and test split."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from benchmark.data.inputs import InMemory, Inputs
from benchmark.errors import UsageError
from methods.core.lazy import torch

if TYPE_CHECKING:
    from benchmark.data.streamed import ImageReaders

Batch: TypeAlias = "tuple[torch.Tensor, torch.Tensor]"  # inputs [B, ...] float32 or int64, targets [B, ...]
Split: TypeAlias = "tuple[Inputs, torch.Tensor]"  # inputs and targets of n examples: classes [n], numbers or tokens


@dataclass(frozen=True)
class Data:
    """Training, validation and test split. Methods see the first alone, and no choice is made on the last."""

    train: Split
    val: Split
    test: Split
    digest: str = ""  # hash of the data as they were read; empty where the loader gives none

    @classmethod
    def in_memory(cls, train: Batch, val: Batch, test: Batch) -> Data:
        """Return the data set of three pairs of tensors."""
        one, two, three = ((InMemory(inputs), labels) for inputs, labels in (train, val, test))
        return cls(one, two, three)

    def to(self, device: str, readers: ImageReaders | None = None) -> Data:
        """Return the same data on a device. Images are read by the processes of `readers`."""
        splits = (self.train, self.val, self.test)
        train, val, test = ((inputs.to(device, readers), labels.to(device)) for inputs, labels in splits)
        return Data(train, val, test, self.digest)


def balanced_order(labels: torch.Tensor) -> torch.Tensor:
    """Return a fixed order of all examples, shuffled within classes: every k-th one is a class-balanced sample."""
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    return shuffled[labels[shuffled].argsort(stable=True)]


def held_out(labels: torch.Tensor) -> torch.Tensor:
    """Return a mask [n] of the examples for validation: a fixed tenth, class-balanced if targets are classes.

    The only example of a class is for training, so that no class is left out.
    """
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    if not are_classes(labels):
        chosen[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))[::10]] = True
        return chosen
    chosen[balanced_order(labels)[::10]] = True
    counts = labels.bincount()
    return chosen & (counts[labels] > 1)


def are_classes(targets: torch.Tensor) -> bool:
    """Tell whether each target is the number of one class."""
    return targets.dim() == 1 and not targets.is_floating_point()


def singles(targets: torch.Tensor) -> int:
    """Return the number of classes with a single example; 0 if targets are no classes."""
    return int((targets.bincount() == 1).sum()) if are_classes(targets) else 0


def split(train: tuple[Any, Any], test: tuple[Any, Any]) -> Data:
    """Set a class-balanced tenth of the training examples aside for validation, and normalize each channel.

    Inputs are images [n, C, H, W], or features [n, F], each of which counts as a channel, as tensors or arrays. Mean
    and standard deviation are those of the remaining training examples; a channel that is the same everywhere becomes
    zero. Whole numbers of 32 or 64 bits are tokens [n, T], which stay as they are. Raises UsageError unless there is
    one target for each example, and for numbers that are not finite.
    """
    given = digest(array.contiguous().numpy() for pair in (train, test) for array in map(_tensor, pair))
    train, test = _pair("training", *train), _pair("test", *test)
    aside = held_out(train[1])
    kept = train[0][~aside]
    channel = [place for place in range(kept.dim()) if place != 1]
    if not kept.is_floating_point():
        loaded = Data.in_memory((kept, train[1][~aside]), (train[0][aside], train[1][aside]), test)
        return replace(loaded, digest=given)
    std, mean = torch.std_mean(kept, dim=channel, keepdim=True)
    std = torch.where(kept.amax(channel, keepdim=True) > kept.amin(channel, keepdim=True), std, 1.0)
    loaded = Data.in_memory(
        train=((kept - mean) / std, train[1][~aside]),
        val=((train[0][aside] - mean) / std, train[1][aside]),
        test=((test[0] - mean) / std, test[1]),
    )
    return replace(loaded, digest=given)


def _pair(part: str, inputs: Any, targets: Any) -> Batch:
    """Return inputs and targets as tensors: numbers and bytes of images are float32, classes and tokens int64."""
    inputs, targets = _tensor(inputs), _tensor(targets)
    if inputs.dtype in (torch.uint16, torch.uint32, torch.uint64):  # torch computes little with these
        inputs = inputs.to(torch.float32 if inputs.dtype == torch.uint16 else torch.int64)
    if not targets.is_floating_point():
        targets = targets.to(torch.int64)
    if len(inputs) != len(targets):
        raise UsageError(f"the {part} set has {len(inputs)} examples and {len(targets)} labels")
    if not len(targets):
        raise UsageError(f"the {part} set has no example")
    if are_classes(targets) and targets.min() < 0:
        raise UsageError(f"the {part} set has the label {int(targets.min())}; labels count classes from 0")
    if not all(values.isfinite().all() for values in (inputs, targets)):
        raise UsageError(f"the {part} set has inputs or targets that are not finite numbers")
    tokens = inputs.dtype in (torch.int32, torch.int64)
    kind = torch.float32 if targets.is_floating_point() else torch.int64
    return inputs.to(torch.int64 if tokens else torch.float32), targets.to(kind)


def _tensor(values: Any) -> torch.Tensor:
    if isinstance(values, torch.Tensor):
        if values.is_complex():
            raise UsageError(f"inputs or targets are of type {values.dtype}, not real numbers")
        return values
    import numpy

    try:
        array = numpy.asarray(values)
    except ValueError:
        raise UsageError("inputs or targets are sequences of several lengths, and no array") from None
    if array.dtype.kind not in "biuf":
        raise UsageError(f"inputs or targets are of type {array.dtype}, not numbers; classes are numbers from 0")
    if array.dtype.itemsize > 8:
        array = array.astype(numpy.float64)
    if not array.dtype.isnative or min(array.strides, default=0) < 0:  # torch takes neither
        array = numpy.ascontiguousarray(array, array.dtype.newbyteorder("="))
    return torch.as_tensor(array)


def digest(parts: Iterable[Any]) -> str:
    """Return a hash of the bytes of some arrays or texts, as 12 hexadecimal digits."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part)
    return hashed.hexdigest()[:12]
