"""The loss that a task trains with, and the metric that its networks are judged by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from methods.core.lazy import torch
from methods.core.registry import MethodError


@dataclass(frozen=True)
class Objective:
    """A loss and a metric. Both are means over examples, so each is defined for one example.

    Outputs are [R, B, ...] for R runs; targets are [B, ...], or [R, B, ...] if the runs see different examples. `size`
    is the number of classes, of predicted numbers or of tokens that the task declares.
    """

    metric: ClassVar[str]  # its name in rows, tables and figures
    better: ClassVar[Literal["higher", "lower"]]
    scale: ClassVar[float] = 1.0  # the factor of the metric: 100 for percent
    least: ClassVar[int] = 1  # the smallest size that makes sense

    def losses(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the loss [R, B] of each example."""
        raise NotImplementedError

    def scores(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the metric [R, B] of each example, without the scale."""
        raise NotImplementedError

    def output_shape(self, shape: tuple[int, ...], size: int) -> tuple[int, ...]:
        """Return the shape of the output for one input of a shape."""
        return (size,)

    def fault(self, targets: torch.Tensor, size: int) -> str:
        """Return why targets [n, ...] do not fit the task, or nothing."""
        raise NotImplementedError

    def chance(self, train: torch.Tensor, targets: torch.Tensor, size: int) -> float:
        """Return the metric on targets [n, ...] of a constant output, which knows the training targets alone."""
        raise NotImplementedError

    def synthetic(self, labels: torch.Tensor, inputs: torch.Tensor, size: int) -> torch.Tensor:
        """Return targets that a network can learn, for synthetic inputs [n, ...] of some kinds, labels [n]."""
        raise NotImplementedError


@dataclass(frozen=True)
class Classification(Objective):
    """One class for each input: cross-entropy, and accuracy in percent."""

    metric, better, scale, least = "accuracy", "higher", 100.0, 2

    def losses(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return cross_entropy(outputs, targets)

    def scores(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return outputs.argmax(-1) == targets

    def fault(self, targets: torch.Tensor, size: int) -> str:
        if targets.dim() != 1 or targets.is_floating_point():
            return (
                f"labels of shape {tuple(targets.shape[1:])} and type {targets.dtype}, not one class for each example"
            )
        least, most = int(targets.min()), int(targets.max())
        within = least >= 0 and most < size
        return "" if within else f"labels from {least} to {most}, and the task declares classes 0 to {size - 1}"

    def chance(self, train: torch.Tensor, targets: torch.Tensor, size: int) -> float:
        return 100 / size

    def synthetic(self, labels: torch.Tensor, inputs: torch.Tensor, size: int) -> torch.Tensor:
        return labels % size


@dataclass(frozen=True)
class Regression(Objective):
    """Numbers for each input: mean squared error, as loss and as metric."""

    metric, better = "mean squared error", "lower"

    def losses(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        outputs = outputs.to(torch.promote_types(outputs.dtype, torch.float32))
        return (outputs - targets).square().flatten(2).mean(2)

    def scores(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return self.losses(outputs, targets)

    def fault(self, targets: torch.Tensor, size: int) -> str:
        fits = targets.is_floating_point() and tuple(targets.shape[1:]) == (size,)
        found = f"targets of shape {tuple(targets.shape[1:])} and type {targets.dtype}"
        return "" if fits else f"{found}, and the task declares {size} numbers for each example"

    def chance(self, train: torch.Tensor, targets: torch.Tensor, size: int) -> float:
        return float((targets.cpu().double() - train.cpu().double().mean(0)).square().mean())

    def synthetic(self, labels: torch.Tensor, inputs: torch.Tensor, size: int) -> torch.Tensor:
        return (labels.unsqueeze(1) * torch.arange(1.0, size + 1)).cos()


@dataclass(frozen=True)
class NextToken(Objective):
    """A token for each place of a sequence: cross-entropy, and its value in bits, which are bits per character."""

    metric, better, least = "bits per character", "lower", 2

    def losses(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return cross_entropy(outputs, targets).mean(2)

    def scores(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return self.losses(outputs, targets) / math.log(2)

    def output_shape(self, shape: tuple[int, ...], size: int) -> tuple[int, ...]:
        return (*shape, size)

    def fault(self, targets: torch.Tensor, size: int) -> str:
        if targets.dim() != 2 or targets.is_floating_point():
            return f"targets of shape {tuple(targets.shape[1:])} and type {targets.dtype}, not a sequence of tokens"
        least, most = int(targets.min()), int(targets.max())
        return "" if least >= 0 and most < size else f"tokens from {least} to {most}, and the task declares {size}"

    def chance(self, train: torch.Tensor, targets: torch.Tensor, size: int) -> float:
        counts = train.cpu().flatten().bincount(minlength=size).double() + 1
        return float(-(counts / counts.sum()).log2()[targets.cpu()].mean())

    def synthetic(self, labels: torch.Tensor, inputs: torch.Tensor, size: int) -> torch.Tensor:
        return (inputs.long() + 1) % size


def check_classes(asking: str, objective: Objective) -> None:
    """Raise MethodError, which names what takes examples of each class, if the examples of a task have no classes."""
    if not isinstance(objective, Classification):
        raise MethodError(
            f"{asking} takes examples of each class, and a task of {objective.metric} has none; choose another method"
        )


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy [R, B, ...] of logits [R, B, ..., C] and labels [R, B, ...], or [B, ...] if shared."""
    labels = labels.expand(logits.shape[:-1])
    flat = logits.flatten(0, -2).to(torch.promote_types(logits.dtype, torch.float32))
    return torch.nn.functional.cross_entropy(flat, labels.flatten(), reduction="none").view(labels.shape)
