"""Load the data set of a task and hold it to what the task declares."""

from __future__ import annotations

from pathlib import Path

from benchmark.data.split import Data
from benchmark.errors import UsageError
from benchmark.tasks.task import Task
from methods.core.lazy import torch


def load_data(task: Task, folder: Path) -> Data:
    """Return the task's data from the folder of data sets.

    Raises UsageError unless the data set is the one that the task declares: its number of training examples, the shape
    of an input and the classes. Then part of a data set, or another one, is not taken for the whole.
    """
    data = task.data(folder)
    for part in ("train", "val", "test"):
        inputs, labels = getattr(data, part)
        if not len(labels):
            raise UsageError(f"the {part} split of {_name(task)} has no example")
        if tuple(inputs.shape[1:]) != tuple(task.shape):
            raise UsageError(
                f"the {part} split of {_name(task)} has inputs of shape {tuple(inputs.shape[1:])}, "
                f"and the task declares {tuple(task.shape)}"
            )
        if not _are_classes(labels):
            continue
        least, most = int(labels.min()), int(labels.max())
        if least < 0 or most >= task.classes:
            raise UsageError(
                f"the {part} split of {_name(task)} has labels from {least} to {most}, "
                f"and the task declares classes 0 to {task.classes - 1}"
            )
    found, labels = len(data.train[1]), data.train[1]
    single = int((labels.bincount() == 1).sum()) if _are_classes(labels) else 0
    if not task.examples <= found <= task.examples + single:  # a class's only example is never held out
        raise UsageError(f"{_name(task)} has {found} training examples, and the task declares {task.examples}")
    return data


def _are_classes(labels: torch.Tensor) -> bool:
    """Tell whether each label is the number of one class."""
    return labels.dim() == 1 and not labels.is_floating_point()


def _name(task: Task) -> str:
    return f"the data set {task.dataset}" if task.dataset else "the data set"
