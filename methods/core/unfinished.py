"""The networks that unfinished optimizers train: no two optimizers may train one parameter."""

from __future__ import annotations

import gc
from weakref import WeakSet

from methods.core.lazy import torch
from methods.core.prunable import trained_names
from methods.core.registry import MethodError
from methods.core.script_network import ScriptNetwork

UNFINISHED: WeakSet[ScriptNetwork] = WeakSet()


def check_unclaimed(model: torch.nn.Module) -> None:
    """Raise MethodError if an optimizer that still exists, and is not finished, trains a parameter of the model."""
    if _shared(model):
        gc.collect()  # a scheduler and its optimizer refer to each other, so nothing else deletes them
    if shared := _shared(model):
        raise MethodError(
            f"{shared[0]} is trained by another SparseOptimizer, which is not finished; call its finish(), or delete "
            "it, before you build one on the same parameters"
        )


def _shared(model: torch.nn.Module) -> list[str]:
    """Return the names of the parameters that an unfinished optimizer trains already."""
    trained = {id(net.model.get_parameter(name)) for net in UNFINISHED for name in trained_names(net.model)}
    return [name for name in trained_names(model) if id(model.get_parameter(name)) in trained]
