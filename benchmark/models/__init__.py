"""The networks of the built-in tasks, as plain modules: LeNets, VGGs, residual and wide residual networks.

A network's file is imported at the network's first use, because it imports torch, and lists of tasks should be fast.
`layers` holds the parts that several networks share.
"""

import importlib
from typing import Any

_FILES = {
    "lenet300": "lenets",
    "lenet5": "lenets",
    "vgg": "vggs",
    "resnet18": "resnets",
    "resnet20": "resnets",
    "wide_resnet22": "wide_resnet",
}


def __getattr__(name: str) -> Any:
    if name in _FILES:
        return getattr(importlib.import_module(f"{__name__}.{_FILES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
