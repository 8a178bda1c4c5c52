"""The training data, randomness and budget that a method may use before training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias

from methods.core.lazy import torch
from methods.core.network import Network

Arguments: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]  # those of a call, by position and by name


class Probe(Protocol):
    """The protocol by which a method gets gradients on training data, random streams and the budget.

    A method may keep its probe and ask it in any phase; the answers are those for the present weights.
    """

    learning_rates: torch.Tensor  # [R, steps], float64 on the CPU: those of all phases

    def check_data(self) -> None:
        """Raise MethodError unless there is training data to score; for methods that score it after training."""

    def ones(self) -> Arguments:
        """Return the arguments of a forward pass of one example whose numbers are ones."""

    def gradient(self, batches: int, first: int = 0, training: bool = True) -> torch.Tensor:
        """Return the mean gradient [R, N] of the loss at the present weights.

        The mean is over `batches` training batches from number `first` on, in an order that only the probe uses. Batch
        norm and dropout are in training mode, or in evaluation mode if `training` is False.
        """

    def input_norms(self, batches: int) -> torch.Tensor:
        """Return for each weight [R, N] the Euclidean norm of the inputs that it multiplies, over training batches.

        The networks are in evaluation mode. Weights of other than linear and convolutional modules, such as recurrent
        ones, have the norm 1.
        """

    def example_gradients(self, run: int, count: int) -> Iterator[torch.Tensor]:
        """Yield the gradients [N] of one run's loss on `count` single training examples, in evaluation mode."""

    def hessian_gradient(self, per_class: int, temperature: float) -> torch.Tensor:
        """Return Hessian times gradient, H g [R, N], of the loss over `per_class` training examples of each class.

        Logits are divided by the temperature first. Batch norm and dropout are in training mode.
        """

    def generators(self) -> list[torch.Generator]:
        """Return new CPU generators, one for each run, that depend only on the run's seed."""


def with_tensors(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """Return the arguments of a call, or a part of them, with each tensor changed; containers keep their types."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, dict):
        return {name: with_tensors(part, change) for name, part in value.items()}
    if isinstance(value, torch.nn.utils.rnn.PackedSequence):
        return value._replace(data=change(value.data))
    if isinstance(value, list | tuple):
        parts = [with_tensors(part, change) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


@contextmanager
def no_trace(net: Network, training: bool = True) -> Iterator[None]:
    """Start from zero gradients, in training or evaluation mode; at the end restore gradients, modes and buffers.

    A network of the suite has its gradients in flat tensors, which are zero at the end.
    """
    gradients = [(parameter, parameter.grad) for parameter in net.model.parameters()]
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    modes = [(module, module.training) for module in net.model.modules()]
    if net.model.training != training:  # else a part that a script has put into the other mode stays in it
        net.model.train(training)
        for module in net.model.modules():
            if isinstance(module, torch.nn.RNNBase):  # cuDNN computes no gradient of it in evaluation mode
                module.train()
    net.zero_grad()
    try:
        yield
    finally:
        net.zero_grad()
        for parameter, gradient in gradients:
            parameter.grad = gradient
        for module, mode in modes:
            module.training = mode
        for name, buffer in net.named_buffers():
            if name in before and buffer.shape == before[name].shape:  # a forward pass may make buffers or enlarge them
                buffer.copy_(before[name])
