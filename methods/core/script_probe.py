"""The probe of a training script, which gives the loss on a batch by a function."""

from __future__ import annotations

from collections.abc import Callable

from methods.core.lazy import torch
from methods.core.network import Network, hessian_gradient, twice_differentiable
from methods.core.probe import no_trace
from methods.core.registry import MethodError


class ScriptProbe:
    """The probe that a training script gives to a method, by a function that returns the loss on a batch."""

    def __init__(self, net: Network, rates: list[float], loss: Callable[[], torch.Tensor] | None, seed: int):
        self.net, self.learning_rates, self.seed = net, rates, seed
        self._loss = loss

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the first input that the model gets in a call of `probe`."""
        shapes: list[tuple[int, ...]] = []
        hook = self.net.model.register_forward_pre_hook(lambda _, inputs: shapes.append(tuple(inputs[0].shape[1:])))
        try:
            with no_trace(self.net):
                self.loss()
        finally:
            hook.remove()
        return shapes[0]

    def loss(self) -> torch.Tensor:
        if self._loss is None:
            raise MethodError("this method scores data: give `probe`, a function that returns the loss on a batch")
        return self._loss()

    def generators(self) -> list[torch.Generator]:
        return [torch.Generator().manual_seed(self.seed)]

    def gradient(self, batches: int, first: int = 0) -> torch.Tensor:
        """Return the mean gradient over `batches` calls of `probe`, which chooses the batches; `first` is ignored."""
        with no_trace(self.net):
            for _ in range(batches):
                self.loss().backward()
            return self.net.grad / batches

    def hessian_gradient(self, per_class: int, temperature: float) -> torch.Tensor:
        """Return Hessian times gradient on one call of `probe`; `per_class` and `temperature` are ignored."""
        weights = [self.net.model.get_parameter(layer.name) for layer in self.net.layers]
        with no_trace(self.net), twice_differentiable():
            return hessian_gradient(self.loss(), weights).unsqueeze(0)
