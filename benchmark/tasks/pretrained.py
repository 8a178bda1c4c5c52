"""Tasks whose networks start from a file of pretrained weights, to be trained whole or with a frozen backbone."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

from benchmark.errors import UsageError, error_text
from benchmark.tasks.task import Task
from methods.core.lazy import torch

Frozen = Literal["none", "backbone"]


def pretrained(task: Task, weights: str, frozen: Frozen) -> Task:
    """Return a task whose networks start from the weights of a file: .safetensors, or a state dict that torch saved.

    The head is the last linear or convolutional module. It starts from the file if the file's has the same shape, and
    else from initial weights. With `frozen=backbone` the head alone is trained, pruned and counted. The checksum of the
    file is in the task's version, so that another file gives other runs. Raises UsageError for a file that does not
    fit.
    """
    if not weights:
        if frozen != "none":
            raise UsageError("a frozen backbone starts from pretrained weights: give weights=FILE, too")
        return task
    path = Path(weights).expanduser()
    if not path.is_file():
        raise UsageError(f"there is no file {path} with pretrained weights")
    changed = path.stat().st_mtime_ns
    model = partial(_built, task.model, path, changed, frozen)
    with torch.random.fork_rng(devices=[]):
        model()
    return replace(task, model=model, version=task.version + _checksum(path, changed))


def _built(build: Callable[[], torch.nn.Module], path: Path, changed: int, frozen: Frozen) -> torch.nn.Module:
    """Return a new network with the weights of a file; raise UsageError if one but the head's does not fit."""
    model, found = build(), _state(path, changed)
    own = model.state_dict()
    head = [name for name, part in model.named_modules() if isinstance(part, torch.nn.Linear | torch.nn.Conv2d)][-1]
    fitting = {name: value for name, value in found.items() if name in own and value.shape == own[name].shape}
    for name in own:
        if name not in fitting and not name.startswith(f"{head}.") and not name.endswith("num_batches_tracked"):
            first = f"; the first weight there is {next(iter(found))}" if found else ""
            given = f"has the shape {tuple(found[name].shape)} there" if name in found else f"is not there{first}"
            raise UsageError(f"{path} does not fit the network: {name} of shape {tuple(own[name].shape)} {given}")
    model.load_state_dict(fitting, strict=False)
    for name, parameter in model.named_parameters() if frozen == "backbone" else ():
        parameter.requires_grad_(name.startswith(f"{head}."))
    return model


@lru_cache(maxsize=1)  # the runs of a sweep start from one file
def _state(path: Path, changed: int) -> dict[str, torch.Tensor]:
    """Return the tensors of a file by name."""
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            found: dict[str, Any] = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
        for name in ("state_dict", "model"):  # a checkpoint may hold more than the weights
            found = found[name] if isinstance(found.get(name), dict) else found
        return {name: value for name, value in found.items() if isinstance(value, torch.Tensor)}
    except Exception as error:
        # Torch explains at length how to load files that may run code, which no weights by name need.
        reason = "no state dict" if isinstance(error, pickle.UnpicklingError) else error_text(error)
        raise UsageError(
            f"{path} holds no weights by name ({reason}); save model.state_dict() there by torch or as .safetensors"
        ) from None


@lru_cache(maxsize=64)
def _checksum(path: Path, changed: int) -> int:
    return zlib.crc32(path.read_bytes())
