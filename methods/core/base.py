"""The base class of all methods."""

from __future__ import annotations

import inspect
from dataclasses import Field
from types import NoneType
from typing import Any, ClassVar

from methods.core.lazy import torch
from methods.core.network import Network
from methods.core.optimizers import Optimizer
from methods.core.probe import Probe
from methods.core.registry import MethodError, check_options, check_value, written_form

EPSILON = 1.19e-7  # the machine epsilon of float32, below which the DWF paper counts a weight as zero


class Method:
    """An update rule for the weights of a Network. A method changes `net.weights` and nothing else.

    A subclass is a dataclass. Its annotated fields are its options; an annotation with ClassVar is no option. It names
    its `family`, which groups methods in figures, and in `state_names` the attributes that a checkpoint must hold.
    Attributes that `setup` computes again from the options and the budget, such as work buffers, are in
    `derived_names`. Both lists hold only what a class adds to its bases.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]  # the options
    name: ClassVar[str]
    family: ClassVar[str] = "other"
    paper: ClassVar[str] = ""  # authors, venue and year, for the table of methods
    needs_classes: ClassVar[bool] = False  # whether training examples must have classes; else a sweep is refused
    renamed: ClassVar[dict[str, str]] = {}  # the present names of options by their old names, which are still read
    version: ClassVar[int] = 1  # raised when a change makes the method compute something else
    state_names: ClassVar[tuple[str, ...]] = ("state",)
    derived_names: ClassVar[tuple[str, ...]] = ("net", "optimizer", "weight_decay", "value", "inner", "knob", "penalty")
    knob: str  # the quantity that a sweep varies: density, strength, penalty or none

    net: Network
    optimizer: Optimizer
    weight_decay: float
    value: torch.Tensor  # [R, 1], float64 on the CPU: the value of the knob for each run
    state: dict[str, torch.Tensor]  # the optimizer's state of the weights
    inner: Method | None = None  # the method that a wrapper trains with
    penalty: torch.Tensor | None = None  # [R, 1]: lambda, for methods with a penalty

    def __post_init__(self) -> None:
        check_options(self)

    def __str__(self) -> str:
        return written_form(self)

    @property
    def batch_norm_version(self) -> int:
        """A second version, of runs on networks with batch norm or dropout; raised when only these compute otherwise.

        Version 2 recomputes the statistics of batch norm if weights change after the last step, as they do at zero
        thresholds. Version 3 does so on images that are augmented as in training.
        """
        return 3 if self.knob in ("strength", "penalty") else 1

    @property
    def cuts_at_end(self) -> bool:
        """Whether the value of the knob acts in `finish` alone, so that runs of one seed have one training."""
        return False

    @property
    def packs(self) -> bool:
        """Whether several runs may train together, R > 1; a subclass that trains one network sets it to False."""
        return self.inner is None or self.inner.packs

    @property
    def phases(self) -> tuple[float, ...]:
        """The phases of training as shares of the budget; each phase has its own learning-rate schedule."""
        return (1.0,)

    def phases_at(self, value: float) -> tuple[float, ...]:
        """The phases of a run at a value of the knob; `phases`, unless some values take more budgets than others."""
        return self.phases

    @property
    def threshold(self) -> float:
        """The magnitude below which a weight counts as zero while training and becomes zero at the end."""
        return 0.0

    @property
    def exponent(self) -> float | None:
        """The q of a penalty lambda sum |w|^q; None for a method without a penalty or with one of another form."""
        return None

    @property
    def zeros_stay(self) -> bool:
        """Whether a weight of zero stays zero in training, so that a layer of zeros cannot learn."""
        return False

    def bind(self, net: Network, values: list[float], optimizer: Optimizer, weight_decay: float, probe: Probe) -> None:
        """Bind the method to the networks that it trains, one value of the knob for each, and set it up."""
        for value in values:
            check_value(self, value)
        if net.runs > 1 and not self.packs:
            raise MethodError(f"{self} trains one run at a time, not {net.runs} together")
        self.net, self.optimizer, self.weight_decay = net, optimizer, weight_decay
        self.value = torch.tensor(values, dtype=torch.float64).unsqueeze(1)
        self.setup(net, probe)

    def setup(self, net: Network, probe: Probe) -> None:
        """Prepare for training before step 0: score, prune, factorize."""
        self.state = self.optimizer.state(net.weights)

    def on_phase_start(self, phase: int) -> None:
        """Do what a phase starts with: prune, rewind."""

    def update(self, lr: torch.Tensor) -> None:
        """Take one step from `net.grad`, which may be overwritten: by default the optimizer's, with weight decay.

        The learning rate is one number [], or one for each run [R, 1] or weight [N].
        """
        if self.weight_decay:
            self.net.grad.add_(self.net.weights, alpha=self.weight_decay)
        self.optimizer.step(self.net.weights, self.net.grad, self.state, lr)

    def use(self, optimizer: Optimizer, weight_decay: float) -> None:
        """Take all further steps with an optimizer of the same kind, whose momentum may differ, and a weight decay."""
        self.optimizer, self.weight_decay = optimizer, weight_decay

    def take_up(self) -> None:
        """Take up what a script has written to `net.weights`, for methods with a mask or with copies of their own."""

    def finish(self) -> None:
        """Leave exact zeros in `net.weights` after the last step."""
        if self.threshold:
            self.net.weights.masked_fill_(self.net.weights.abs() < self.threshold, 0)

    def diagnose(self) -> dict[str, torch.Tensor]:
        """Return the method's own metrics for the curves, [R] on the device each; called once an epoch."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return the attributes in `state_names`, from which an interrupted run is resumed.

        Raises MethodError for a value that a checkpoint cannot hold, and for an attribute that is in neither list.
        """
        name, state_names = getattr(self, "name", type(self).__name__), self._listed("state_names")
        options = (field.name for field in getattr(self, "__dataclass_fields__", {}).values() if field.init)
        listed = {*state_names, *self._listed("derived_names"), *options}
        for attribute, value in vars(self).items():
            if attribute not in listed and not inspect.isroutine(value):
                raise MethodError(
                    f"method {name} sets {attribute}, which it must list in state_names, "
                    "or in derived_names if setup computes it again"
                )
        state = {attribute: vars(self)[attribute] for attribute in state_names if attribute in vars(self)}
        for attribute, value in state.items():
            if (kind := _unsaveable(value)) is not None:
                raise MethodError(
                    f"a checkpoint cannot hold {attribute} of method {name}, which is or contains a {kind}; it holds "
                    "tensors, numbers, strings, None, and lists, tuples and dicts of them"
                )
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from a state. Tensors are written in place, so views of them stay valid."""
        for name, value in state.items():
            setattr(self, name, _restored(getattr(self, name, None), value, self.net.weights))

    @classmethod
    def _listed(cls, names: str) -> list[str]:
        """Return what a class and its bases list under `state_names` or `derived_names`."""
        return [name for base in reversed(cls.__mro__) for name in vars(base).get(names, ())]


def differs(one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
    """Return where two tensors differ by more than rounding, also that of numbers as large as the largest of them.

    Adding a step to all weights and taking it back, as sharpness-aware minimization does, leaves such differences.
    """
    rounding = 4 * torch.finfo(two.dtype).eps * float(two.nan_to_num(0, 0, 0).abs().max()) if two.numel() else 0.0
    return ~torch.isclose(one, two, rtol=1e-5, atol=rounding, equal_nan=True)


def _unsaveable(value: Any) -> str | None:
    """Return the name of a type in `value` that a checkpoint cannot hold, or None."""
    kind = type(value)
    if kind in (dict, list, tuple):
        parts = value.values() if kind is dict else value
        return next((found for part in parts if (found := _unsaveable(part)) is not None), None)
    return None if isinstance(value, torch.Tensor) or kind in (int, float, bool, str, NoneType) else kind.__name__


def _restored(current: Any, saved: Any, weights: torch.Tensor) -> Any:
    """Return the restored value of an attribute, in place of its current one where both are tensors of one shape."""
    if isinstance(saved, torch.Tensor):
        if isinstance(current, torch.Tensor) and current.shape == saved.shape:
            return current.copy_(saved)
        # State that does not exist yet: tensors shaped like the weights go to their device, others stay on theirs.
        return saved.to(weights.device, copy=True) if saved.shape == weights.shape else saved.clone()
    if isinstance(saved, dict):
        known = current if isinstance(current, dict) else {}
        return {name: _restored(known.get(name), value, weights) for name, value in saved.items()}
    if isinstance(saved, list | tuple):
        fits = isinstance(current, list | tuple) and len(current) == len(saved)  # a list may have grown in training
        parts = current if fits else [None] * len(saved)
        return type(saved)(_restored(now, then, weights) for now, then in zip(parts, saved, strict=True))
    return saved
