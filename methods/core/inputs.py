"""The inputs of layers: how large the numbers are that each weight multiplies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from methods.core.lazy import torch
from methods.core.network import Layer


@contextmanager
def squared_inputs(model: torch.nn.Module, layers: Sequence[Layer]) -> Iterator[torch.Tensor]:
    """Give a tensor [N] to which each forward pass adds, for each weight, the squares of the inputs that it multiplies.

    Weights of other than linear and convolutional modules, such as recurrent ones, whose inputs are not known, have 1.
    """
    total = torch.zeros(layers[-1].stop, device=model.get_parameter(layers[0].name).device)
    handles, inside = [], set[torch.nn.Module]()

    def hook(module: torch.nn.Module, inputs: tuple[Any, ...], layer: Layer) -> None:
        if module not in inside:
            inside.add(module)
            total[layer.span] += _squares(module, inputs).flatten()
            inside.remove(module)

    for layer in layers:
        path, _, name = layer.name.rpartition(".")
        module = model.get_submodule(path)
        linear = isinstance(module, torch.nn.Linear | torch.nn.modules.conv._ConvNd | torch.nn.Bilinear)
        if name != "weight" or not (linear or type(module).__name__ == "Conv1D"):
            total[layer.span] = 1
            continue
        handles.append(module.register_forward_pre_hook(lambda m, x, layer=layer: hook(m, x, layer)))
    try:
        yield total
    finally:
        for handle in handles:
            handle.remove()


def _squares(module: torch.nn.Module, inputs: tuple[Any, ...]) -> torch.Tensor:
    """Return the sums of squares, which are the derivative of the outputs for squared inputs, as these are linear."""
    with torch.enable_grad():
        weight = module.get_parameter("weight").detach().clone().requires_grad_()
        squares = tuple(x.detach().to(weight.dtype).square() for x in inputs)
        outputs = torch.func.functional_call(module, {"weight": weight}, squares)
        (sums,) = torch.autograd.grad(outputs.sum(), weight)
    return sums
