"""Linear layers with 2:4 sparse weights, which accelerators multiply by twice as fast as by dense ones."""

from __future__ import annotations

import copy
import warnings

import torch
from torch import nn
from torch.sparse import to_sparse_semi_structured

from benchmark.deployment.fast_path import leave_fast_path
from benchmark.errors import UsageError

DEVICE = "cuda"
ROWS, COLUMNS = 32, 64  # a weight of half precision must have multiples of these


def with_two_of_four(model: nn.Module) -> nn.Module:
    """Return a copy on the accelerator, in half precision, whose linear layers have semi-structured weights of torch.

    A layer stays dense if its weight [outputs, inputs] has other sizes than multiples of 32 and 64, or more than two
    nonzeros in four neighbours of a row. Raises UsageError without an accelerator that computes so, and if no layer
    has such a weight.
    """
    if not torch.cuda.is_available() or torch.version.hip or torch.cuda.get_device_capability() < (8, 0):
        raise UsageError(
            "2:4 sparsity needs an NVIDIA GPU of compute capability 8.0 or higher, which this machine lacks; "
            "choose torch-sparse, onnx or dense instead"
        )
    fitting = [
        path
        for path, module in model.named_modules()
        if type(module) is nn.Linear and has_two_of_four(module.weight.detach())
    ]
    if not fitting:
        raise UsageError(
            "no linear layer has at most two nonzeros in four neighbours of a row, and outputs and inputs in "
            f"multiples of {ROWS} and {COLUMNS}; choose torch-sparse, onnx or dense instead"
        )
    model = copy.deepcopy(model).eval().to(DEVICE, torch.float16)
    leave_fast_path(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls these tensors a prototype
        for path in fitting:
            layer = model.get_submodule(path)
            assert isinstance(layer, nn.Linear)
            layer.weight = nn.Parameter(to_sparse_semi_structured(layer.weight.detach()), requires_grad=False)
    return model


def has_two_of_four(weight: torch.Tensor) -> bool:
    """Tell whether a weight [outputs, inputs] fits the format."""
    rows, columns = weight.shape
    if rows % ROWS or columns % COLUMNS:
        return False
    return bool(((weight != 0).unflatten(1, (-1, 4)).sum(2) <= 2).all())
