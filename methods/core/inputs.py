"""The inputs of layers: how large the numbers are that each weight multiplies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from methods.core.lazy import torch
from methods.core.network import Layer


@contextmanager
def squared_inputs(model: torch.nn.Module, layers: Sequence[Layer]) -> Iterator[torch.Tensor]:
    """Give a tensor [N] to which each forward pass adds, for each weight, the squares of the inputs that it multiplies.

    Weights of other than linear and convolutional modules, such as recurrent ones, whose inputs are not known, have 1
    at the end, and so have those of modules that are not called themselves, unless none is.
    """
    total = torch.zeros(layers[-1].stop, device=model.get_parameter(layers[0].name).device)
    handles, inside, called = {}, set[torch.nn.Module](), set[Layer]()

    def hook(module: torch.nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], layer: Layer) -> None:
        called.add(layer)
        if module not in inside:
            inside.add(module)
            total[layer.span] += _squares(module, inputs, named).flatten()
            inside.remove(module)

    for layer in layers:
        path, _, name = layer.name.rpartition(".")
        module = model.get_submodule(path)
        linear = isinstance(module, torch.nn.Linear | torch.nn.modules.conv._ConvNd | torch.nn.Bilinear)
        if name != "weight" or not (linear or type(module).__name__ == "Conv1D"):
            total[layer.span] = 1
            continue
        handles[layer] = module.register_forward_pre_hook(partial(hook, layer=layer), with_kwargs=True)
    try:
        yield total
    finally:
        for layer, handle in handles.items():
            handle.remove()
            if called and layer not in called:  # another module reads its weight, as nn.MultiheadAttention does
                total[layer.span] = 1


def _squares(module: torch.nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> torch.Tensor:
    """Return the sums of squares, which are the derivative of the outputs for squared inputs, as these are linear."""
    with torch.enable_grad():
        weight = module.get_parameter("weight").detach().clone().requires_grad_()
        squares = tuple(_squared(x, weight.dtype) for x in inputs)
        others = {name: _squared(x, weight.dtype) for name, x in named.items()}
        outputs = torch.func.functional_call(module, {"weight": weight}, squares, others)
        (sums,) = torch.autograd.grad(outputs.sum(), weight)
    return sums


def _squared(x: Any, dtype: torch.dtype) -> Any:
    """Return the square of an input; a transposed convolution also takes the size of its output, which stays."""
    return x.detach().to(dtype).square() if isinstance(x, torch.Tensor) else x
