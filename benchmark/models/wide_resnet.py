"""Wide residual networks for 32 x 32 images."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

from benchmark.models.layers import MeanPool, kaiming


class Block(nn.Module):
    """Norm and activation before each of two convolutions; a shortcut of another shape starts after the first norm."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.bn1, self.bn2, self.relu = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs), nn.ReLU()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if inputs != outputs else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        active = self.relu(self.bn1(x))
        passed = x if self.shortcut is None else self.shortcut(active)
        return passed + self.conv2(self.relu(self.bn2(self.conv1(active))))


def wide_resnet(depth: int, width: int, classes: int) -> nn.Module:
    """Build WRN-depth-width: three stages of (depth - 4) / 6 blocks with 16, 32 and 64 times `width` channels.

    Zagoruyko & Komodakis, BMVC 2016, without dropout.
    """
    channels = [16, 16 * width, 32 * width, 64 * width]
    stages = OrderedDict()
    for i, stride in enumerate((1, 2, 2)):
        blocks = [Block(channels[i], channels[i + 1], stride)]
        blocks += [Block(channels[i + 1], channels[i + 1], 1) for _ in range((depth - 4) // 6 - 1)]
        stages[f"stage{i + 1}"] = nn.Sequential(*blocks)
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, 16, 3, padding=1, bias=False),
            **stages,
            bn=nn.BatchNorm2d(channels[3]),
            relu=nn.ReLU(),
            pool=MeanPool(),
            fc=nn.Linear(channels[3], classes),
        )
    )


def wide_resnet22(classes: int) -> torch.nn.Module:
    """Build WRN-22-2 for 32 x 32 images, in which RigL was compared on CIFAR-10: 1,079,642 parameters."""

    return kaiming(wide_resnet(22, 2, classes))
