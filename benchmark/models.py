"""The networks, as plain modules."""

from __future__ import annotations

from collections import OrderedDict

import torch


def lenet300(pixels: int, classes: int) -> torch.nn.Module:
    """LeNet-300-100: two hidden layers of 300 and 100 units (LeCun et al., 1998); 266,200 weights at 784 pixels.

    Linear layers start Kaiming uniform with gain sqrt(2), the start for ReLU networks, with zero biases.
    """
    nn = torch.nn
    model = nn.Sequential(
        OrderedDict(
            flatten=nn.Flatten(),
            fc1=nn.Linear(pixels, 300),
            relu1=nn.ReLU(),
            fc2=nn.Linear(300, 100),
            relu2=nn.ReLU(),
            fc3=nn.Linear(100, classes),
        )
    )
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    return model
