"""Training mode, in which frozen batch norm keeps its statistics."""

from __future__ import annotations

import torch
from torch.nn.modules.batchnorm import _BatchNorm


def train_mode(model: torch.nn.Module) -> None:
    """Put a network into training mode, except batch norm whose parameters are frozen."""
    model.train()
    for module in model.modules():
        if isinstance(module, _BatchNorm) and frozen(module):
            module.eval()


def frozen(norm: _BatchNorm) -> bool:
    """Tell whether the parameters of batch norm are not trained, so that its statistics stay those it started with."""
    return norm.weight is not None and not norm.weight.requires_grad
