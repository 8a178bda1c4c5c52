"""The choice of parameters by name, module or function."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TypeAlias

from methods.core.lazy import torch
from methods.core.registry import MethodError

Predicate: TypeAlias = "Callable[[str, torch.Tensor], bool]"
Item: TypeAlias = "str | torch.nn.Module | type[torch.nn.Module] | torch.Tensor | Predicate"
Choice: TypeAlias = "Item | Sequence[Item] | None"


def fitting(model: torch.nn.Module, choice: Choice, option: str) -> set[int]:
    """Return the ids of the parameters that fit a choice, which is one of these, a list of them, or None.

    A name of a parameter or of a module that holds it, with wildcards as in `fnmatch`; a module; a class of modules; a
    parameter, also after its name as `named_parameters` gives it; or a function (name, parameter) -> bool. For the
    option "include" only trained parameters fit, and modules and wildcards choose no vectors, such as biases and norms.
    Raises MethodError for an item that fits nothing.
    """
    found: set[int] = set()
    for item in choice if isinstance(choice, list | tuple) else () if choice is None else (choice,):
        if isinstance(item, tuple) and len(item) == 2:
            item = item[1]
        fits = _fits(model, item)
        chosen = {
            id(parameter)
            for name, parameter in model.named_parameters(remove_duplicate=False)
            if fits(name, parameter)
            and (option != "include" or (parameter.requires_grad and (parameter.dim() > 1 or _exact(item, name))))
        }
        if not chosen and not _is_predicate(item):
            raise MethodError(_unknown(model, item, option))
        found |= chosen
    return found


def plain_name(name: str) -> str:
    """Return a name without the step that torch.compile adds to a path."""
    return name.replace("_orig_mod.", "")


def _is_predicate(item: Item) -> bool:
    return callable(item) and not isinstance(item, (type, torch.nn.Module))


def _exact(item: Item, name: str) -> bool:
    """Return whether an item names one parameter, or is a function, which sees whether the parameter is a vector."""
    return (
        plain_name(item) == plain_name(name)
        if isinstance(item, str)
        else isinstance(item, torch.Tensor) or _is_predicate(item)
    )


def _fits(model: torch.nn.Module, item: Item) -> Predicate:
    """Return a test of whether an item chooses a parameter."""
    if isinstance(item, str):
        pattern = item

        def named(name: str, parameter: torch.Tensor) -> bool:
            parts = plain_name(name).split(".")
            return any(fnmatchcase(".".join(parts[: i + 1]), plain_name(pattern)) for i in range(len(parts)))

        return named
    if isinstance(item, torch.Tensor):
        held = {id(item)}
    elif isinstance(item, torch.nn.Module):
        held = {id(parameter) for parameter in item.parameters()}
    elif isinstance(item, type):
        modules = [module for module in model.modules() if isinstance(module, item)]
        held = {id(parameter) for module in modules for parameter in module.parameters()}
    elif callable(item):
        return item
    else:
        raise MethodError(
            f"a choice is a name, a module, a class of modules, a parameter, a function or a list of them, not {item!r}"
        )
    return lambda name, parameter: id(parameter) in held


def _unknown(model: torch.nn.Module, item: Item, option: str) -> str:
    """Return a sentence about an item that fits no parameter."""
    kind = "trained parameter of two or more dimensions" if option == "include" else "parameter"
    if not isinstance(item, str):
        shown = item.__name__ if isinstance(item, type) else type(item).__name__
        return f"{option} has a {shown} that chooses no {kind} of the model"
    known = [
        plain_name(name)
        for name, _ in (*model.named_modules(), *model.named_parameters(remove_duplicate=False))
        if name
    ]
    near = difflib.get_close_matches(item, known, n=3)
    return f"{option}={item!r} chooses no {kind} of the model" + (f"; near it are {', '.join(near)}" if near else "")
