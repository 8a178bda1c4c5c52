"""The probe of a training script, which gives the loss on a batch by a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from methods.core.inputs import squared_inputs
from methods.core.lazy import torch
from methods.core.network import hessian_gradient, twice_differentiable
from methods.core.probe import Arguments, no_trace, with_tensors
from methods.core.registry import MethodError
from methods.core.script_network import ScriptNetwork

OTHER_MODEL = (
    "the loss of `probe` does not depend on the model; it must call the one that the optimizer is built on, and after "
    "copy.deepcopy the copy"
)


class ScriptProbe:
    """The probe that a training script gives to a method, by a function that returns the loss on a batch."""

    def __init__(self, net: ScriptNetwork, rates: list[float], loss: Callable[[], torch.Tensor] | None, seed: int):
        self.net, self.seed = net, seed
        self.learning_rates = torch.tensor([rates], dtype=torch.float64)
        self._loss = loss

    def ones(self) -> Arguments:
        """Return the first example of the first call of the model in a call of `probe`, with ones as its numbers."""
        calls: list[Arguments] = []
        hook = self.net.model.register_forward_pre_hook(lambda _, *call: calls.append(call), with_kwargs=True)
        try:
            with no_trace(self.net):
                self._call()
        finally:
            hook.remove()
        if not calls:
            raise MethodError("`probe` must call the model that the optimizer is built on, not a part of it")
        return _example(calls[0], _batch(calls[0]))

    def check_data(self) -> None:
        if self._loss is None:
            raise MethodError("this method scores data: give `probe`, a function that returns the loss on a batch")

    def _call(self) -> torch.Tensor:
        self.check_data()
        assert self._loss is not None
        self.net.write_out()  # a method may have pruned since the last call
        with torch.enable_grad():
            try:
                return self._loss()
            except StopIteration:
                raise MethodError(
                    "`probe` ran out of batches; the method asks for more, such as those of itertools.cycle(loader)"
                ) from None

    def _checked(self, loss: Any) -> torch.Tensor:
        if not (isinstance(loss, torch.Tensor) and loss.numel() == 1 and loss.requires_grad):
            raise MethodError(
                "`probe` must return the loss on a batch: a tensor of one number that depends on the weights"
            )
        return loss

    def generators(self) -> list[torch.Generator]:
        return [torch.Generator().manual_seed(self.seed)]

    def gradient(self, batches: int, first: int = 0, training: bool = True) -> torch.Tensor:
        """Return the mean gradient over `batches` calls of `probe`, which chooses the batches; `first` is ignored.

        The function may clear gradients before it computes the loss, and may call `backward` itself.
        """
        total = torch.zeros_like(self.net.grad)
        with no_trace(self.net, training):
            for _ in range(batches):
                self.net.clear_gradients()
                loss = self._call()
                if not self.net.has_gradients():
                    self._checked(loss).backward()
                if not self.net.has_gradients():
                    raise MethodError(OTHER_MODEL)
                self.net.gather_gradients()
                total += self.net.grad
        return total / batches

    def input_norms(self, batches: int) -> torch.Tensor:
        """Return for each weight [1, N] the norm of the inputs that it multiplies, over `batches` calls of `probe`."""
        with no_trace(self.net, training=False), squared_inputs(self.net.model, self.net.layers) as squares:
            before = squares.clone()
            for _ in range(batches):
                self._call()
        if torch.equal(squares, before) and not before.all():  # those of recurrent layers stay 1
            raise MethodError(OTHER_MODEL)
        return squares.sqrt().unsqueeze(0)

    def example_gradients(self, run: int, count: int) -> Iterator[torch.Tensor]:
        """Yield the gradients [N] of `count` calls of `probe`, which are of single examples if its batches are."""
        for _ in range(count):
            yield self.gradient(1, training=False)[0]

    def hessian_gradient(self, per_class: int, temperature: float) -> torch.Tensor:
        """Return Hessian times gradient on one call of `probe`; `per_class` and `temperature` are ignored."""
        weights = [self.net.model.get_parameter(layer.name) for layer in self.net.layers]
        eager = torch.compiler.set_stance("force_eager")  # compiled programs are differentiated once only
        with eager, no_trace(self.net), twice_differentiable():
            return hessian_gradient(self._checked(self._call()), weights).unsqueeze(0)


def _example(call: Arguments, batch: int) -> Arguments:
    """Return the first example of a batch, in which floating-point tensors hold ones; tokens stay."""

    def first(value: torch.Tensor) -> torch.Tensor:
        own = value[:1] if value.dim() and len(value) == batch else value
        return torch.ones_like(own) if own.is_floating_point() else own

    args, kwargs = with_tensors(call, first)
    return args, kwargs


def _batch(value: Any) -> int:
    """Return the number of examples, by the first tensor among the arguments; 0 if they cannot be divided."""
    if isinstance(value, torch.nn.utils.rnn.PackedSequence):
        return 0
    if isinstance(value, torch.Tensor):
        return len(value) if value.dim() else 0
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return next((found for part in parts if (found := _batch(part))), 0)
