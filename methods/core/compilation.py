"""One pass over memory instead of many, where a compiler is at hand."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from methods.core.lazy import torch


def fused(function: Callable[..., None], worth: bool) -> Callable[..., None]:
    """`function` itself, or torch's compilation of it if that is `worth` its start and works on this machine."""
    return _compiled(function) if worth and not _broken else function


_broken: list[str] = []  # why compiling does not work here, once it was seen not to


@functools.cache
def _compiled(function: Callable[..., None]) -> Callable[..., None]:
    # A sweep meets many depths and sizes, and each is compiled once.
    torch._dynamo.config.recompile_limit = 64
    compiled = torch.compile(function, dynamic=False)

    def call(*arguments: Any) -> None:
        if _broken:
            return function(*arguments)
        try:
            return compiled(*arguments)
        except (torch._dynamo.exc.TorchDynamoException, torch._inductor.exc.InductorError, OSError) as error:
            # Compiling comes before the first number is written, so nothing is half done.
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            _broken.append(reason)
            warnings.warn(f"updates run uncompiled, and slower ({reason})", stacklevel=2)
            return function(*arguments)

    return call
