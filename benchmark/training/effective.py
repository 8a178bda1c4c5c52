"""Effective weights: those on a path of nonzero weights from an input to an output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from benchmark.deployment.operations import ELEMENTWISE, SUMS
from methods.core.prunable import prunable_names


def effective_nonzeros(model: torch.nn.Module, example: torch.Tensor) -> int | None:
    """Return the number of prunable weights on a path of nonzero weights from an input [1, ...] to an output.

    Without the other weights the network computes the same up to constants: Vysogorets & Kempe, "Connectivity Matters",
    JMLR 2023. The count is exact. One forward and one backward pass go through the network with every weight replaced
    by 1 or by 0, without biases, and with activations that let everything pass; after each layer activity and gradient
    become 1 or 0 again, so that no rounding, overflow or cancellation decides. A weight is effective if its gradient is
    positive. A constant that comes from a bias is on no path from an input.

    The result is None for a network with an operation that is not in the lists of this file, such as attention, or
    layer norm, in which every output depends on every input.
    """
    weights = prunable_names(model)
    parameters: dict[str, torch.Tensor] = {
        name: torch.nn.Parameter((parameter.detach() != 0).cpu().double(), requires_grad=name in set(weights))
        for name, parameter in model.named_parameters()
    }
    buffers = {name: buffer.cpu().double() for name, buffer in model.named_buffers()}
    chosen = [parameters[name] for name in weights]
    model.eval()
    x = torch.ones(example.shape, dtype=torch.float64, requires_grad=True)  # a constant requires none
    try:
        with torch.enable_grad(), _Activity():
            outputs = torch.func.functional_call(model, (parameters, buffers), (x,))
        gradients = torch.autograd.grad(outputs, chosen, torch.ones_like(outputs))
    except RuntimeError:  # it is not covered, or it does not compute in float64 on a CPU
        return None
    return sum(int(((g > 0) & (w > 0)).sum()) for g, w in zip(gradients, chosen, strict=True))


# The last name of a function of torch decides, since torch.relu, Tensor.relu and functional.relu are the same.
LAYERS = {"linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}
LINEAR = {  # with weights that are at least zero
    "view", "reshape", "flatten", "unflatten", "permute", "transpose", "movedim", "contiguous", "squeeze", "unsqueeze",
    "chunk", "split", "unbind", "__getitem__", "cat", "concat", "stack", "pad", "clone", "expand", "mean", "sum",
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d",
    "size", "dim", "__get__", "__len__",
}  # fmt: skip
SCALES = {"mul", "__mul__", "__rmul__", "div", "__truediv__", "true_divide"}  # by a number other than 0
MAX_POOLS = {
    "max_pool1d": functional.avg_pool1d,
    "max_pool2d": functional.avg_pool2d,
    "max_pool3d": functional.avg_pool3d,
}


class _Activity(TorchFunctionMode):
    """Compute activity instead of values: every function of torch becomes its counterpart here, or an error."""

    def __torch_function__(
        self, func: Callable[..., Any], types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        numbers = [value for value in args if isinstance(value, int | float)]
        if not args:
            raise NotImplementedError(name)
        if name in LAYERS:
            x, weight, _, *rest = (*args, None)[: max(len(args), 3)]
            others = {key: value for key, value in kwargs.items() if key != "bias"}
            return _indicator(func(_active(x), _parameter(weight), None, *rest, **others))
        if name in ELEMENTWISE:
            return _active(args[0])
        if name == "batch_norm":
            gamma = kwargs.get("weight", args[3] if len(args) > 3 else None)
            scale = 1 if gamma is None else _parameter(gamma).view(-1, *[1] * (args[0].dim() - 2))
            return _active(args[0]) * scale
        if name in MAX_POOLS:
            return _mean_pool(MAX_POOLS[name], *args, **kwargs)
        if name in SUMS | SCALES and len(args) == 2 and len(numbers) == 1 and (name in SUMS or numbers != [0]):
            return _active(args[0] if args[1] is numbers[0] else args[1])
        if name in SUMS and len(args) == 2:
            return _active(args[0]) + _active(args[1])
        if name in LINEAR:
            result = func(*args, **kwargs)
            for tensor in _tensors(args) if any(True for _ in _tensors((result,))) else ():
                _active(tensor)
            return result
        raise NotImplementedError(name)


def _active(x: Any) -> torch.Tensor:
    """Return a tensor that depends on the input; raise for a parameter or a constant."""
    if not isinstance(x, torch.Tensor) or isinstance(x, torch.nn.Parameter) or not x.requires_grad:
        raise NotImplementedError
    return x


def _parameter(weight: Any) -> torch.nn.Parameter:
    """Return a parameter; raise for a weight that the forward pass computes, which is no indicator."""
    if not isinstance(weight, torch.nn.Parameter):
        raise NotImplementedError
    return weight


def _mean_pool(
    pool: Callable[..., torch.Tensor],
    x: torch.Tensor,
    kernel: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> torch.Tensor:
    """Return the mean over each window, which hands gradients to all of it; any value of it may be the largest."""
    if return_indices or dilation not in (1, (1, 1), (1, 1, 1)):
        raise NotImplementedError
    return pool(_active(x), kernel, stride, padding, ceil_mode)


def _tensors(values: Any) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from _tensors(value)


class _Indicator(torch.autograd.Function):
    """Tell where activity is, and where its gradient is, as 1 or 0."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        return (gradients[0] > 0).to(gradients[0].dtype)


def _indicator(x: torch.Tensor) -> torch.Tensor:
    result: torch.Tensor = _Indicator.apply(x)
    return result
