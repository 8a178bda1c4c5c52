"""The networks, as plain modules."""

from __future__ import annotations

from collections import OrderedDict

import torch


def lenet300(pixels: int, classes: int, width: float = 1.0) -> torch.nn.Module:
    """LeNet-300-100: two hidden layers of 300 and 100 units (LeCun et al., 1998); 266,200 weights at 784 pixels.

    `width` scales the hidden layers: a small dense network is the simplest rival of a large sparse one.
    Linear layers start Kaiming uniform with gain sqrt(2), the start for ReLU networks, with zero biases.
    """
    nn = torch.nn
    first, second = max(round(300 * width), 1), max(round(100 * width), 1)
    model = nn.Sequential(
        OrderedDict(
            flatten=nn.Flatten(),
            fc1=nn.Linear(pixels, first),
            relu1=nn.ReLU(),
            fc2=nn.Linear(first, second),
            relu2=nn.ReLU(),
            fc3=nn.Linear(second, classes),
        )
    )
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    return model
