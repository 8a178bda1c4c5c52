"""A stand-in for torch that imports it at first use, so that lists and refusals need not wait seconds for it."""

import importlib
import sys
from types import ModuleType
from typing import Any


class _LazyTorch(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if sys.modules.get("torch") is self:
            del sys.modules["torch"]
        torch = importlib.import_module("torch")
        self.__dict__.update(torch.__dict__)  # modules that hold the stand-in now see torch itself
        return getattr(torch, name)


def load_torch() -> None:
    """Import torch now: call it before anything that imports one of torch's submodules."""
    importlib.import_module("torch").float32  # noqa: B018


def defer_torch() -> None:
    """From here on `import torch` costs nothing until an attribute of it is asked for."""
    if "torch" not in sys.modules:
        sys.modules["torch"] = _LazyTorch("torch")
