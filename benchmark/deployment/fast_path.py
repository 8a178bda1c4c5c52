"""torch's fast path of encoder layers, which takes dense weights alone."""

from __future__ import annotations

from torch import nn


def leave_fast_path(model: nn.Module) -> None:
    """Make the encoder layers of a model compute by their linear layers, whose weights may be sparse."""
    for module in model.modules():
        if isinstance(module, nn.TransformerEncoderLayer):
            module.activation_relu_or_gelu = 0  # the fast path is for two activations, and 0 stands for all others
        if isinstance(module, nn.TransformerEncoder):
            module.use_nested_tensor = False  # nested tensors leave out padding, and sparse layers cannot take them
