"""Compilation of update functions, so that they pass over memory once instead of many times."""

from __future__ import annotations

import functools
import logging
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from methods.core.lazy import torch

RECOMPILE_LIMIT = 64  # torch compiles a function anew for each depth and size; a sweep has more of them than torch's 8


@dataclass
class Compiler:
    """The compiler of this machine, as far as this process knows."""

    failure: str = ""  # why compiling failed; empty as long as it has not


COMPILER = Compiler()


def fused(function: Callable[..., None], worth: bool) -> Callable[..., None]:
    """Return the compiled function if that is `worth` its start and the compiler works, or the function itself."""
    return _Fused(function) if worth and not COMPILER.failure else function


@functools.cache
def _compiled(function: Callable[..., None]) -> Callable[..., None]:
    logging.getLogger("torch.utils.cpp_extension").addFilter(_is_of_use)  # the compiler imports it, also for a CPU
    return torch.compile(function, dynamic=False)


def _is_of_use(record: logging.LogRecord) -> bool:
    """Tell whether a line of torch is more than a note that a machine has CUDA's toolkit and no GPU."""
    return not record.getMessage().startswith("No CUDA runtime is found")


class _Fused:
    """A compiled function that runs uncompiled, after one warning, if the compiler fails."""

    def __init__(self, function: Callable[..., None]):
        self.function, self._is_compiled = function, False

    def __call__(self, *arguments: Any) -> None:
        if COMPILER.failure:
            return self.function(*arguments)
        limit = nullcontext() if self._is_compiled else torch._dynamo.config.patch(recompile_limit=RECOMPILE_LIMIT)
        try:
            with limit:
                _compiled(self.function)(*arguments)
            self._is_compiled = True
        except (torch._dynamo.exc.TorchDynamoException, torch._inductor.exc.InductorError, OSError) as error:
            # The compiler fails before the function writes anything, so it can run again.
            COMPILER.failure = f"{type(error).__name__}: {error}".partition("\n")[0]
            warnings.warn(f"updates run uncompiled, and slower ({COMPILER.failure})", stacklevel=2)
            self.function(*arguments)
