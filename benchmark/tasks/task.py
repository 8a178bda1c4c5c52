"""A task: a network, a data set and the recipe that every method trains it with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.data.augmentation import Augmentation
from benchmark.data.objective import Classification, Objective
from benchmark.data.split import Data
from benchmark.data.synthetic import synthetic_data, whole_batches
from methods.core.base import Method
from methods.core.lazy import torch
from methods.core.optimizers import Optimizer, Sgd
from methods.core.registry import read_form


@dataclass(frozen=True)
class Task:
    """A model/data-set pair with its training recipe."""

    model: Callable[[], torch.nn.Module]
    data: Callable[[Path], Data]
    shape: tuple[int, ...]  # shape of one input, without the batch
    classes: int  # or the number of tokens, or of predicted numbers, with another objective
    examples: int  # in the training split; plans are made without the data
    epochs: int
    batch_size: int
    learning_rate: float  # peak, for every method without an entry in `learning_rates`, and the limit of `other_lr`
    learning_rates: Mapping[str, float] = field(default_factory=dict)  # by written form, as in dwf[depth=3]
    optimizer: Optimizer = field(default_factory=Sgd)
    weight_decay: float = 0.0  # on the prunable weights, for methods without a penalty of their own
    augmentation: Augmentation | None = None  # applied to training images
    warmup: float = 0.05  # share of each phase in which the rate rises linearly; then it falls as a cosine to zero
    dataset: str = ""  # name of the data set, for rows
    batch_norm: bool = False  # whether the network has batch norm or dropout, which tell training from evaluation
    objective: Objective = field(default_factory=Classification)  # loss and metric
    vocabulary: int = 0  # number of tokens, if the inputs are tokens and not numbers
    version: int = 1  # raised when a change of network or data makes runs incomparable; the recipe is compared itself

    def learning_rate_of(self, method: Method) -> float:
        """Return the peak learning rate of a method: that of the entry which gives most of its options, or the default.

        A method around another has that one's learning rate, unless it has an entry of its own.
        """
        fitting: dict[int, float] = {}
        for written, learning_rate in self.learning_rates.items():
            cls, given = read_form(written)
            entry = cls(**given)
            if type(method) is cls and all(getattr(method, option) == getattr(entry, option) for option in given):
                fitting[len(given)] = learning_rate
        if not fitting and method.inner is not None:
            return self.learning_rate_of(method.inner)
        return fitting[max(fitting)] if fitting else self.learning_rate

    def other_lr(self, peak_lr: float) -> float:
        """Return the peak learning rate of the parameters that are not prunable: the method's, up to the recipe's own.

        Factors need learning rates at which biases, which are not factorized, diverge.
        """
        return min(peak_lr, self.learning_rate)

    def zeros(self, n: int, device: str = "cpu") -> torch.Tensor:
        """Return n inputs that are zero everywhere."""
        return torch.zeros(n, *self.shape, dtype=torch.int64 if self.vocabulary else torch.float32, device=device)

    def synthetic_data(self) -> Data:
        """Return synthetic data of the same shape and kind, for the smoke tier and for timing."""
        return synthetic_data(self.shape, self.classes, self.objective, self.vocabulary)

    def synthetic_batches(self, batches: int, batch_size: int | None = None) -> Data:
        """Return synthetic data with a whole number of training batches, and few examples for evaluation."""
        return whole_batches(self.synthetic_data(), batch_size or self.batch_size, batches, self.classes)
