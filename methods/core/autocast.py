"""Autocast for packs of networks. Under vmap, that of torch reaches only some operations and breaks batch norm."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.nn import functional

LOWERED = {functional.linear, functional.conv1d, functional.conv2d, functional.conv3d}
LOWERED |= {functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d}


def packed_autocast(device: torch.device) -> AbstractContextManager[object]:
    """Return a context in which autocast, if it is on for the device, acts under vmap as on a single network.

    Products and convolutions are computed in autocast's dtype. Batch norm is computed in float32 and returns the dtype
    of its input.
    """
    if not torch.is_autocast_enabled(device.type):
        return nullcontext()
    return _PackedAutocast(torch.get_autocast_dtype(device.type))


class _PackedAutocast(torch.overrides.TorchFunctionMode):
    def __init__(self, dtype: torch.dtype):
        super().__init__()
        self.dtype = dtype

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if function is functional.batch_norm:
            x, *others = args
            return function(x.float(), *others, **kwargs).to(x.dtype)
        if function in LOWERED:
            args = [part.to(self.dtype) if isinstance(part, torch.Tensor) else part for part in args]
        return function(*args, **kwargs)
