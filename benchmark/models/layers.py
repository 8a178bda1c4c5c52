"""Layers and initializations that several networks share."""

from __future__ import annotations

import torch
from torch import nn


class MeanPool(nn.Module):
    """Return the mean of each channel, [B, C]; torch's own pooling to 1 x 1 is slow in packs."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


def kaiming(model: torch.nn.Module) -> torch.nn.Module:
    """Initialize a model for ReLU: Kaiming uniform weights with gain sqrt(2), zero biases. Return the model."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
            nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model
