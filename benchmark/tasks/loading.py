"""Load the data set of a task, build its network, and hold both to what the task declares."""

from __future__ import annotations

from pathlib import Path

from benchmark.data.inputs import InMemory
from benchmark.data.split import Data, singles
from benchmark.errors import UsageError
from benchmark.tasks.task import Task
from methods.core.lazy import torch


def load_data(task: Task, folder: Path) -> Data:
    """Return the task's data from the folder of data sets.

    Raises UsageError unless the data set is the one that the task declares: its number of training examples, the shape
    and kind of an input, and the targets. Then part of a data set, or another one, is not taken for the whole.
    """
    data = task.data(folder)
    if not isinstance(data, Data):
        raise UsageError(f"the data function returns {type(data).__name__}, and no Data, which data.split makes")
    kind = torch.int64 if task.vocabulary else torch.float32
    for part in ("train", "val", "test"):
        inputs, targets = getattr(data, part)
        if not len(targets):
            raise UsageError(f"the {part} split of {_name(task)} has no example")
        if tuple(inputs.shape[1:]) != tuple(task.shape):
            raise UsageError(
                f"the {part} split of {_name(task)} has inputs of shape {tuple(inputs.shape[1:])}, "
                f"and the task declares {tuple(task.shape)}"
            )
        if isinstance(inputs, InMemory) and inputs.values.dtype != kind:
            declared = f"tokens of type {kind}" if task.vocabulary else f"no vocabulary, so they have to be {kind}"
            raise UsageError(
                f"the {part} split of {_name(task)} has inputs of type {inputs.values.dtype}, "
                f"and the task declares {declared}"
            )
        if fault := task.objective.fault(targets, task.classes):
            raise UsageError(f"the {part} split of {_name(task)} has {fault}")
        if task.vocabulary and not (int(inputs[:].min()) >= 0 and int(inputs[:].max()) < task.vocabulary):
            raise UsageError(f"the {part} split of {_name(task)} has tokens outside 0 to {task.vocabulary - 1}")
    found = len(data.train[1])
    single = singles(data.train[1])
    if not task.examples <= found <= task.examples + single:  # a class's only example is never held out
        raise UsageError(f"{_name(task)} has {found} training examples, and the task declares {task.examples}")
    return data


def check_network(task: Task) -> torch.nn.Module:
    """Return a network of the task.

    Raises UsageError unless the task's function returns one, and its outputs are those that the task declares. A loss
    may broadcast outputs of another shape, and train towards nothing that was meant.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        network = task.model()
        if not isinstance(network, torch.nn.Module):
            raise UsageError(f"the model function returns {type(network).__name__}, and no torch.nn.Module")
        if lazy := [name for name, value in network.named_parameters() if torch.nn.parameter.is_lazy(value)]:
            raise UsageError(f"{lazy[0]} has no values yet; run a batch through the network in the model function")
        outputs = network.eval()(task.zeros(2))
    expected = (2, *task.objective.output_shape(task.shape, task.classes))
    if not isinstance(outputs, torch.Tensor):
        raise UsageError(f"the network returns {type(outputs).__name__}, and no tensor of shape {expected}")
    if tuple(outputs.shape) != expected:
        raise UsageError(f"two inputs give an output of shape {tuple(outputs.shape)}, not {expected}")
    return network


def _name(task: Task) -> str:
    return f"the data set {task.dataset}" if task.dataset else "the data set"
