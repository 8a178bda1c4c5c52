"""A forward pass that follows features, and notes the layers that make new ones of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from benchmark.deployment import operations as names
from benchmark.deployment.features import Features, applied, argument, combined, matrix, nonzero, through

Arguments = tuple[Any, ...]
CONTENT = torch.Tensor | numpy.ndarray | float  # types in which the content of a tensor leaves an operation


@dataclass
class Layer:
    """A linear layer or a convolution without groups, by its place in the forward pass."""

    weight: str  # the parameter's name
    bias: str | None  # that of its bias, also if it has none but may get one
    links: torch.Tensor  # [outputs, inputs]: whether a weight, or one of a kernel, is not zero
    inputs: Features
    outputs: Features
    padded: bool  # by zeros, so that a constant input other than zero is none at the border


@dataclass
class Trace:
    """The units of a network, numbered from 0, as a forward pass shows them."""

    count: int = 0
    layers: list[Layer] = field(default_factory=list)
    axes: dict[str, dict[int, torch.Tensor]] = field(default_factory=dict)  # units along the axes of a parameter
    ties: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list)  # units that only go together
    pinned: list[torch.Tensor] = field(default_factory=list)  # units that stay


class Tracer(TorchFunctionMode):
    """Follow features through a forward pass in evaluation mode.

    Units that meet an operation which is not in the lists of operations.py are pinned, such as those of layer norm,
    attention, softmax, and grouped convolutions other than depthwise ones.
    """

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.trace = Trace()
        self._model = model
        self._names = {id(value): name for name, value in (*model.named_parameters(), *model.named_buffers())}
        self._held: set[str] = set()  # parameters that an operation which is not followed takes
        # A tensor, kept alive so that no other has its id, its version, which operations in place raise, its features.
        self._known: dict[int, tuple[torch.Tensor, int, Features]] = {}

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Arguments = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        self._forget_changed((args, kwargs))
        result = func(*args, **kwargs)
        if isinstance(result, torch.Tensor):
            after = None if "out" in kwargs else self._after(name, func, args, kwargs, result.shape)
            if after is None:
                self.pin((args, kwargs))
            self._known.pop(id(result), None)
            if after is not None:
                self._known[id(result)] = result, _version(result), after
        elif result is None or any(isinstance(leaf, CONTENT) for leaf in tree_leaves(result)):
            self.pin((args, kwargs))
        return result

    def pin(self, tensors: Any) -> None:
        """Keep all units of the tensors in a tree of arguments, and in the end those of its parameters."""
        leaves = tree_leaves(tensors)
        self.trace.pinned += [known.units for leaf in leaves if (known := self._features(leaf))]
        self._held |= {self._names[id(leaf)] for leaf in leaves if id(leaf) in self._names}

    def end(self, outputs: Any) -> None:
        """Keep the units that leave the network."""
        self.pin(outputs)
        for name in self._held:
            self.trace.pinned += self.trace.axes.get(name, {}).values()

    def _features(self, tensor: Any) -> Features | None:
        return self._known[id(tensor)][2] if id(tensor) in self._known else None

    def _forget_changed(self, tensors: Any) -> None:
        """Forget the features of tensors that were written to, of which all units stay."""
        for leaf in tree_leaves(tensors):
            if id(leaf) in self._known and _version(leaf) != self._known[id(leaf)][1]:
                self.pin(leaf)
                del self._known[id(leaf)]

    def _after(
        self, name: str, func: Callable[..., Any], args: Arguments, kwargs: dict[str, Any], shape: torch.Size
    ) -> Features | None:
        """Return the features of an operation's result, or None if they are not followed."""
        if name == "linear" or name in names.CONVOLUTIONS:
            return self._layer(name, args, kwargs)
        if name == "cat":
            return self._joined(args[0], argument(args, kwargs, 1, "dim") or 0)
        if name in names.ARITHMETIC and len(args) == 2:
            x, y = map(self._features, args)
            if x and y:
                if x.dim != y.dim or args[0].dim() != args[1].dim() or len(x.units) != len(y.units):
                    return None
                self.trace.ties.append((x.units, y.units))
                return combined(name, func, args, kwargs, x, y)
            one, other = (x, args[1]) if x else (y, args[0])
            if one is None or (isinstance(other, torch.Tensor) and not self._is_number(other)):
                return None
            return replace(one, values=applied(func, (one.values, other) if x else (other, one.values), kwargs))
        known = self._features(args[0]) if args else None
        if known and name == "batch_norm" and known.dim == 1:
            return self._normed(known, *args[1:], **kwargs)
        return through(known, name, func, args, kwargs, shape) if known else None

    def _is_number(self, tensor: torch.Tensor) -> bool:
        """Tell whether a tensor is a parameter or buffer that has one entry, whatever the input."""
        return tensor.numel() == 1 and id(tensor) in self._names

    def _layer(self, name: str, args: Arguments, kwargs: dict[str, Any]) -> Features | None:
        x, inputs, parameter, bias = args[0], self._features(args[0]), args[1], argument(args, kwargs, 2, "bias")
        dim = x.dim() - 1 if name == "linear" else 1
        weight, bias_name = self._names.get(id(parameter)), self._names.get(id(bias))
        if x.dim() != names.CONVOLUTIONS.get(name, x.dim()) or (inputs and inputs.dim != dim):
            return None
        if weight is None or (bias is not None and bias_name is None):
            return None
        if weight in self.trace.axes:  # the second use of a weight, whose units stay as they are
            return None
        total, links = matrix(parameter.detach().double()), matrix((parameter != 0).double()) > 0
        constant = torch.zeros(len(total)).double() if bias is None else bias.detach().double()
        padded = name != "linear" and nonzero(argument(args, kwargs, 4, "padding"))
        groups = 1 if name == "linear" else argument(args, kwargs, 6, "groups") or 1
        if groups > 1:
            if inputs is None or not groups == len(total) == x.shape[1]:
                return None
            total, links = total[:, 0], links[:, 0]
            outputs = replace(inputs, constant=inputs.still(padded) | ~links, values=constant + total * inputs.values)
        else:
            still = inputs.still(padded) if inputs else torch.zeros(total.shape[1], dtype=torch.bool)
            values = constant + total @ inputs.values.where(still, 0) if inputs else constant
            self.trace.count += len(total)
            units = torch.arange(self.trace.count - len(total), self.trace.count)
            outputs = Features(dim, units, ~(links & ~still).any(1), values)
        self._along(weight, 0, outputs.units)
        if bias_name:
            self._along(bias_name, 0, outputs.units)
        if inputs and groups == 1:
            self._along(weight, 1, inputs.units)
            owner = weight.rpartition(".")[0]
            if isinstance(self._model.get_submodule(owner), torch.nn.Linear | torch.nn.modules.conv._ConvNd):
                bias_name = f"{owner}.bias".lstrip(".")
            self.trace.layers.append(Layer(weight, bias_name, links, inputs, outputs, padded))
        return outputs

    def _normed(
        self,
        x: Features,
        mean: Any,
        var: Any,
        weight: Any = None,
        bias: Any = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Features | None:
        """Return the features of a batch norm in evaluation mode; a channel with a scale of 0 is constant."""
        given = [tensor for tensor in (mean, var, weight, bias) if tensor is not None]
        if training or mean is None or any(id(tensor) not in self._names for tensor in given):
            return None
        for tensor in given:
            self._along(self._names[id(tensor)], 0, x.units)
        gamma = torch.ones_like(x.values) if weight is None else weight.detach().double()
        beta = 0 if bias is None else bias.detach().double()
        values = (x.values - mean.double()) / (var.double() + eps).sqrt() * gamma + beta
        return replace(x, constant=x.constant | (gamma == 0), values=values)

    def _joined(self, tensors: Any, dim: int) -> Features | None:
        """Return the features of tensors that are concatenated along them."""
        parts = [known for tensor in tensors if (known := self._features(tensor))]
        if len(parts) < len(tensors) or any(part.dim != dim % tensors[0].dim() for part in parts):
            return None
        units, constant, values = (
            torch.cat([getattr(p, name) for p in parts]) for name in ("units", "constant", "values")
        )
        return Features(parts[0].dim, units, constant, values)

    def _along(self, name: str, axis: int, units: torch.Tensor) -> None:
        """Note the units along an axis of a parameter or buffer; those of two uses of it go together."""
        axes = self.trace.axes.setdefault(name, {})
        if axis in axes:
            self.trace.ties.append((axes[axis], units))
        axes[axis] = units


def _version(tensor: torch.Tensor) -> int:
    """Return the number of operations in place on a tensor; those of inference mode are not counted."""
    return 0 if tensor.is_inference() else tensor._version


def traced(model: torch.nn.Module, example: torch.Tensor) -> Trace:
    """Return the units of a model in evaluation mode, by a forward pass of an example [1, ...]."""
    tracer = Tracer(model)
    with torch.no_grad(), tracer:
        outputs = model(torch.cat([example, example]))  # a second example tells the first axis from one of size 1
    tracer.end(outputs)
    return tracer.trace
