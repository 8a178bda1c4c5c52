"""The training data, randomness and budget that a method may ask for before training."""

from __future__ import annotations

from typing import Protocol

from methods.core.lazy import torch


class Probe(Protocol):
    """What a method may ask of the suite before training: training data's gradients, randomness, the budget."""

    learning_rates: list[float]  # of every step, all phases

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input."""

    def gradient(self, batches: int, first: int = 0) -> torch.Tensor:
        """Mean gradient [R, N] of the loss at the present weights over training batches from the `first` of them on.

        They have an order of their own.
        """

    def hessian_gradient(self, per_class: int, temperature: float) -> torch.Tensor:
        """Hessian times gradient, H g [R, N], of the loss over `per_class` training examples of each class.

        Logits are divided by the temperature first.
        """

    def generators(self) -> list[torch.Generator]:
        """Fresh CPU generators, one a run, that depend on the run's seed alone."""
