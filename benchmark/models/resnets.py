"""Residual networks for small images."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

from benchmark.models.layers import MeanPool, kaiming


def resnet18(classes: int) -> torch.nn.Module:
    """Build torchvision's ResNet-18 with a 3 x 3 stem and no pooling after it, for small images; 11.2 M parameters.

    He et al., CVPR 2016. It starts as torchvision starts it: Kaiming normal by fan out.
    """
    from torchvision.models import resnet18

    model = resnet18(num_classes=classes)
    model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    model.maxpool = nn.Identity()
    model.avgpool = MeanPool()
    return model


def resnet20(classes: int) -> torch.nn.Module:
    """Build ResNet-20 for 32 x 32 images: three stages of three blocks with 16, 32 and 64 channels; 272,474 parameters.

    He et al., CVPR 2016, with torchvision's blocks, so that shortcuts that change their shape are 1 x 1 convolutions.
    """
    from torchvision.models.resnet import BasicBlock

    def stage(inputs: int, outputs: int) -> torch.nn.Module:
        stride = 1 if inputs == outputs else 2
        shortcut = None
        if inputs != outputs:
            shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        first = BasicBlock(inputs, outputs, stride, shortcut)
        return nn.Sequential(first, *(BasicBlock(outputs, outputs) for _ in range(2)))

    model = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, 16, 3, padding=1, bias=False),
            bn1=nn.BatchNorm2d(16),
            relu=nn.ReLU(),
            layer1=stage(16, 16),
            layer2=stage(16, 32),
            layer3=stage(32, 64),
            pool=MeanPool(),
            fc=nn.Linear(64, classes),
        )
    )
    return kaiming(model)
