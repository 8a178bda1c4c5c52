"""The features of a tensor, the units that they belong to and their constants, and how operations change them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from benchmark.deployment import operations as names


@dataclass(frozen=True)
class Features:
    """The entries of a tensor along one axis, which is `dim`; all three tensors have an element for each."""

    dim: int
    units: torch.Tensor  # the number of the unit, filter or channel that an entry belongs to
    constant: torch.Tensor  # whether it has the same value for all inputs and everywhere along the other axes
    values: torch.Tensor  # these values, in float64

    def still(self, padded: bool) -> torch.Tensor:
        """Return which features are constant also where zeros are padded to them."""
        return self.constant & (self.values == 0) if padded else self.constant


def applied(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Tensor:
    """Apply an operation to constants, in float64."""
    doubled = [arg.detach().double().clone() if isinstance(arg, torch.Tensor) else arg for arg in args]
    result: torch.Tensor = func(*doubled, **kwargs)
    return result.double()  # those of a conversion have another type


def through(
    x: Features, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], shape: torch.Size
) -> Features | None:
    """Return the features of the result, of some shape, of an operation on the features of its first argument alone.

    The result is None for an operation that is not followed.
    """
    given = args[0].shape
    if name in names.RESHAPES and _is_fixed(name, args, kwargs, x.dim if shape == given else 1):
        return None
    if name in names.SAME or "dropout" in name or (name in names.RESHAPES and shape == given):
        return x
    if name in names.RESHAPES | names.RESIZES and x.dim == 1 and len(shape) > 2 and shape[:2] == given[:2]:
        return x
    others = [leaf for leaf in tree_leaves((args[1:], kwargs)) if isinstance(leaf, torch.Tensor)]
    if name in names.ELEMENTWISE and (not others or (name == "prelu" and others[0].numel() == 1)):
        return replace(x, values=applied(func, (x.values, *args[1:]), kwargs))
    if name in names.RESHAPES and len(shape) == 2 and shape[0] == given[0]:
        place = torch.arange(given[x.dim]).view(-1, *[1] * (len(given) - 1 - x.dim)).expand(given[1:]).flatten()
        return Features(1, x.units[place], x.constant[place], x.values[place])
    if name in names.ALONG:
        dims = argument(args, kwargs, 1, "dim")
        gone = {dim % len(given) for dim in ((dims,) if isinstance(dims, int) else dims or range(len(given)))}
        if gone & {0, x.dim}:
            return None
        x = replace(x, constant=x.still(name == "sum"))
        return x if len(shape) == len(given) else replace(x, dim=x.dim - sum(dim < x.dim for dim in gone))
    if name in names.MAX_POOLS | names.ADAPTIVE_MEANS and x.dim == 1:
        return x
    if name in names.MEAN_POOLS and x.dim == 1:
        changed = nonzero(argument(args, kwargs, 3, "padding")) or argument(args, kwargs, 6, "divisor_override")
        return replace(x, constant=x.still(bool(changed)))
    return None


def _is_fixed(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], dim: int) -> bool:
    """Tell whether a reshape gives a number for an axis, which the code may have as a constant."""
    sizes = tree_leaves((args[1:], kwargs))
    return name != "flatten" and (len(sizes) <= dim or sizes[dim] != -1)


def combined(
    name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], x: Features, y: Features
) -> Features:
    """Return the features of a sum, difference, product or quotient of two tensors."""
    constant, values = x.constant & y.constant, applied(func, (x.values, y.values), kwargs)
    if name in names.PRODUCTS:
        zero = x.still(True) | y.still(True)
        constant, values = constant | zero, values.masked_fill(zero, 0)
    return Features(x.dim, x.units, constant, values)


def matrix(weight: torch.Tensor) -> torch.Tensor:
    """Return the weight of a layer as a matrix [outputs, inputs], in which each kernel is its sum."""
    return weight if weight.dim() == 2 else weight.flatten(2).sum(2)


def argument(args: tuple[Any, ...], kwargs: dict[str, Any], place: int, name: str) -> Any:
    """Return an argument by its place or its name, and None if it is not given."""
    return args[place] if len(args) > place else kwargs.get(name)


def nonzero(padding: Any) -> bool:
    """Tell whether a padding, a number or one for each axis or a word, pads anything."""
    return (
        padding != "valid"
        if isinstance(padding, str)
        else any(padding)
        if isinstance(padding, tuple | list)
        else bool(padding)
    )
