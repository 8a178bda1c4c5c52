"""Linear layers and convolutions that multiply by compressed sparse rows (CSR)."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import torch
from torch import nn

from benchmark.deployment.fast_path import leave_fast_path
from benchmark.errors import UsageError


class SparseLinear(nn.Module):
    """A linear layer with a CSR weight."""

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, layer: nn.Linear):
        super().__init__()
        _settle(self, layer, _rows(layer.weight))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.reshape(x.shape[:-1].numel(), x.shape[-1])
        return _product(self.weight, self.bias, rows.t()).t().reshape(*x.shape[:-1], -1)


class SparseConv2d(nn.Module):
    """A convolution without groups whose CSR weight [filters, channels * kernel] multiplies patches of images."""

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, layer: nn.Conv2d):
        super().__init__()
        _settle(self, layer, _rows(layer.weight.flatten(1)))
        geometry: Any = (layer.kernel_size, layer.dilation, layer.padding, layer.stride)
        self.patches = nn.Unfold(*geometry)
        self.sizes = [*zip(*geometry, strict=True)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, (k, d, p, s) in zip(x.shape[2:], self.sizes, strict=True)]
        columns = self.patches(x).transpose(0, 1).flatten(1)  # [channels * kernel, batch * places]
        filtered = _product(self.weight, self.bias, columns)
        return filtered.unflatten(1, (len(x), -1)).transpose(0, 1).unflatten(2, size)


def with_sparse_rows(model: nn.Module) -> nn.Module:
    """Return a copy whose linear layers and 2-d convolutions without groups have CSR weights, in evaluation mode.

    Layers with hooks stay dense. Raises UsageError where torch has no MKL, which multiplies them on a CPU, and for
    weights of low precision, which MKL does not multiply.
    """
    if not torch.backends.mkl.is_available():
        raise UsageError(
            "torch has no MKL here, so it multiplies no sparse rows on a CPU; choose dense or onnx instead"
        )
    model = copy.deepcopy(model).eval()
    leave_fast_path(model)
    for path, module in list(model.named_modules()):
        new: nn.Module | None = None
        if type(module) not in (nn.Linear, nn.Conv2d) or module._forward_hooks or module._forward_pre_hooks:
            continue
        if module.weight.dtype not in (torch.float32, torch.float64):
            raise UsageError(
                f"MKL multiplies no sparse rows of {str(module.weight.dtype).removeprefix('torch.')}; "
                "call float() on the model, or choose dense instead"
            )
        if type(module) is nn.Linear:
            new = SparseLinear(module)
        elif type(module) is nn.Conv2d and module.groups == 1 and not isinstance(module.padding, str):
            new = SparseConv2d(module) if module.padding_mode == "zeros" else None
        if new is not None:
            if not path:
                return new
            parent, _, name = path.rpartition(".")
            setattr(model.get_submodule(parent), name, new)
    return model


def _settle(sparse: nn.Module, layer: nn.Linear | nn.Conv2d, rows: torch.Tensor) -> None:
    """Give a layer its CSR weight, and what else a model may read of it: its bias, and sizes such as `in_features`."""
    sparse.register_buffer("weight", rows)
    sparse.register_buffer("bias", None if layer.bias is None else layer.bias.detach())
    for name in type(layer).__constants__:
        setattr(sparse, name, getattr(layer, name))


def _rows(weight: torch.Tensor) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its CSR tensors a beta feature
        rows = weight.detach().to_sparse_csr()
        # MKL wants 32 bits; and the columns are a part of a larger tensor, which a file would hold whole.
        starts, columns = rows.crow_indices().to(torch.int32), rows.col_indices().to(torch.int32)
        return torch.sparse_csr_tensor(starts, columns, rows.values().clone(), rows.shape)


def _product(weight: torch.Tensor, bias: torch.Tensor | None, x: torch.Tensor) -> torch.Tensor:
    return weight @ x if bias is None else torch.addmm(bias[:, None], weight, x)
