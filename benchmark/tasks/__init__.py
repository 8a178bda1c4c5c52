"""The tasks: a network, a data set and the recipe that every method trains it with.

Every file of this folder is imported; a new task is one function in one of them.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from benchmark import data
from benchmark.augmentation import Augmentation
from benchmark.errors import UsageError
from methods.base import Method
from methods.registry import parse, split_list
from methods.rules import Rule, Sgd


@dataclass(frozen=True)
class Task:
    """A model/data-set pair with its training recipe."""

    model: Callable[[], torch.nn.Module]
    data: Callable[[Path], data.Data]
    shape: tuple[int, ...]  # of one input
    classes: int
    examples: int  # in the training split; plans are made without the data
    epochs: int
    batch_size: int
    learning_rate: float  # peak, for every method without an entry in `learning_rates`, and the limit of `rest_rate`
    learning_rates: Mapping[str, float] = field(default_factory=dict)  # by written form, as in dwf[depth=3]
    rule: Rule = field(default_factory=Sgd)
    weight_decay: float = 0.0  # on the prunable weights, for methods without a penalty of their own
    augmentation: Augmentation | None = None  # of training images
    warmup: float = 0.05  # share of each phase in which the rate rises linearly; then it falls as a cosine to zero
    version: int = 1  # raised when a change of network or data makes runs incomparable; the recipe is compared itself

    def rate(self, method: Method) -> float:
        """The peak learning rate of a method: the entry that shares most of its options, else the default.

        A method that goes around another trains at that one's rate, if it has no entry of its own.
        """
        own = set(_options(method))
        fitting = {}
        for written, rate in self.learning_rates.items():
            entry = parse(written)
            shared = set(_options(entry)) if "[" in written else set()
            if entry.name == method.name and shared <= own:
                fitting[len(shared)] = rate
        if not fitting and method.inner is not None:
            return self.rate(method.inner)
        return fitting[max(fitting)] if fitting else self.learning_rate

    def rest_rate(self, peak: float) -> float:
        """The peak learning rate of what is not prunable: the method's, but not above the one of dense training.

        Factors want rates at which biases, which are not factorized, blow up.
        """
        return min(peak, self.learning_rate)


def _options(method: Method) -> list[str]:
    return split_list(str(method).partition("[")[2].removesuffix("]"))


TASKS: dict[str, Callable[..., Task]] = {}


def task(function: Callable[..., Task]) -> Callable[..., Task]:
    """Register a task under its function's name, with hyphens for underscores; the docstring describes it."""
    name = function.__name__.replace("_", "-")
    if name in TASKS:
        raise UsageError(f"a task named {name!r} is registered already")
    TASKS[name] = function
    return function


def get_task(written: str) -> Task:
    """The task that a name stands for; options of its function, which are numbers, may follow in brackets.

    `timm:MODEL-DATASET` is any network of timm, on CIFAR or on a folder of images.
    """
    if written.startswith("timm:"):
        return importlib.import_module("benchmark.tasks.by_timm").timm_task(written)
    name, _, rest = written.partition("[")
    if name not in TASKS:
        raise UsageError(f"there is no task {name!r}; tasks are {', '.join(sorted(TASKS))}")
    return TASKS[name](**parse_options(name, rest, task_options(name)))


def task_options(name: str) -> Collection[str]:
    """The options that may follow a task's name in brackets."""
    return inspect.signature(TASKS[name]).parameters if name in TASKS else ()


def parse_options(name: str, written: str, known: Collection[str]) -> dict[str, float]:
    """The numbers of a task's options, `width=0.5]` say; raises UsageError for what is none of them."""
    options: dict[str, float] = {}
    for pair in split_list(written.removesuffix("]")):
        option, _, value = pair.partition("=")
        if option not in known:
            raise UsageError(f"task {name} has no option {option!r}; its options are {', '.join(known) or 'none'}")
        try:
            options[option] = float(value)
        except ValueError:
            raise UsageError(f"option {option} of task {name} takes a number, not {value!r}") from None
    return options


def describe(thing: object) -> str:
    """First line of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n")[0]


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
