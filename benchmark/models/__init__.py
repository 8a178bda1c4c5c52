"""The networks of the built-in tasks, as plain modules: LeNets, VGGs, residual networks, those of signals, and a GPT.

A network's file is imported at the network's first use, because it imports torch, and lists of tasks should be fast.
lenets.py, vggs.py, resnets.py, wide_resnet.py, signals.py and gpts.py hold the networks, and layers.py the parts that
several of them share.
"""

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

_FILES = {
    "lenet300": "lenets",
    "lenet5": "lenets",
    "vgg": "vggs",
    "resnet18": "resnets",
    "resnet20": "resnets",
    "wide_resnet22": "wide_resnet",
    "skip_perceptron": "signals",
    "signal_cnn": "signals",
    "gpt": "gpts",
}


def __getattr__(name: str) -> Callable[..., Any]:
    """Return a function that builds the network and imports its file when it is called."""
    if name in _FILES:
        return partial(_build, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _build(name: str, *arguments: Any, **options: Any) -> Any:
    return getattr(importlib.import_module(f"{__name__}.{_FILES[name]}"), name)(*arguments, **options)
