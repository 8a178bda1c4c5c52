"""The perceptron and the convolutional network of the MNIST-1D papers, for signals of 40 values."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

from benchmark.models.layers import kaiming


class SkipPerceptron(nn.Module):
    """A perceptron with two hidden layers, the second of which adds to the first."""

    def __init__(self, length: int, hidden: int, classes: int):
        super().__init__()
        self.fc1 = nn.Linear(length, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.fc3 = nn.Linear(hidden, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = torch.relu(self.fc1(x.flatten(1)))
        logits: torch.Tensor = self.fc3(first + torch.relu(self.fc2(first)))
        return logits


def skip_perceptron(length: int, classes: int, width: float = 1.0) -> torch.nn.Module:
    """Build the perceptron of MNIST-1D's experiments on lottery tickets; 275,000 weights for 40 values in 10 classes.

    Greydanus & Kobak, ICML 2024. `width` scales its two hidden layers of 500 units. It starts as `lenet300` does.
    """
    return kaiming(SkipPerceptron(length, max(round(500 * width), 1), classes))


def signal_cnn(classes: int) -> torch.nn.Module:
    """Build MNIST-1D's convolutional network (three layers of 25 filters); 5,125 weights for signals of 40 values.

    Greydanus & Kobak, ICML 2024. It starts as `lenet300` does, not orthogonal.
    """
    model = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv1d(1, 25, 5, stride=2, padding=1),
            relu1=nn.ReLU(),
            conv2=nn.Conv1d(25, 25, 3, stride=2, padding=1),
            relu2=nn.ReLU(),
            conv3=nn.Conv1d(25, 25, 3, stride=2, padding=1),
            relu3=nn.ReLU(),
            flatten=nn.Flatten(),
            fc=nn.Linear(125, classes),
        )
    )
    return kaiming(model)
