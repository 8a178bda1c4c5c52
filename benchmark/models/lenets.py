"""LeNet-300-100 and LeNet-5."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

from benchmark.models.layers import kaiming


def lenet300(pixels: int, classes: int, width: float = 1.0) -> torch.nn.Module:
    """Build LeNet-300-100: two hidden layers of 300 and 100 units (LeCun et al., 1998); 266,200 weights at 784 pixels.

    `width` scales the hidden layers: a small dense network is the simplest alternative to a large sparse one.
    Linear layers start Kaiming uniform with gain sqrt(2), as for ReLU networks, with zero biases.
    """
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
    return kaiming(model)


def lenet5(channels: int, classes: int) -> torch.nn.Module:
    """Build LeNet-5 as pruning papers do (20 and 50 filters of 5 x 5, 500 units); 430,500 weights at 28 x 28.

    LeCun et al., 1998, as Caffe defines it. The initialization is that of `lenet300`. ReLUs come after the pooling,
    which gives the same result with a quarter of the work.
    """
    model = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, 20, 5),
            pool1=nn.MaxPool2d(2),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(20, 50, 5),
            pool2=nn.MaxPool2d(2),
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),
            fc1=nn.Linear(800, 500),
            relu3=nn.ReLU(),
            fc2=nn.Linear(500, classes),
        )
    )
    return kaiming(model)
