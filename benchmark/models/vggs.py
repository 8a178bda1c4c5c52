"""VGG networks for 32 x 32 images."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

from benchmark.models.layers import kaiming


def vgg(depth: int, classes: int) -> torch.nn.Module:
    """Build VGG-16 or VGG-19 with batch norm for 32 x 32 images: torchvision's convolutions and one linear classifier.

    Simonyan & Zisserman, ICLR 2015; 14,710,464 convolutional weights at depth 16, 20,018,880 at 19.
    """
    from torchvision.models.vgg import cfgs, make_layers

    features = make_layers(cfgs[{16: "D", 19: "E"}[depth]], batch_norm=True)  # five poolings: 32 x 32 becomes 1 x 1
    return kaiming(nn.Sequential(OrderedDict(features=features, flatten=nn.Flatten(), fc=nn.Linear(512, classes))))
