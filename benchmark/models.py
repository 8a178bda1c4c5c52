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
    return _kaiming(model)


def _kaiming(model: torch.nn.Module) -> torch.nn.Module:
    """The same model, its weights at the start for ReLU networks: Kaiming uniform with gain sqrt(2), zero biases."""
    nn = torch.nn
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model


def lenet5(channels: int, classes: int) -> torch.nn.Module:
    """LeNet-5 in the form that pruning papers use (20 and 50 filters of 5 x 5, 500 units); 430,500 weights at 28 x 28.

    LeCun et al., 1998, as Caffe defines it. The start is that of `lenet300`. ReLUs come after the maxima, which
    is the same and leaves them a quarter to do.
    """
    nn = torch.nn
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
    return _kaiming(model)


def vgg(depth: int, classes: int) -> torch.nn.Module:
    """VGG-16 or VGG-19 with batch norm for 32 x 32 images: torchvision's convolutions and one linear classifier.

    Simonyan & Zisserman, ICLR 2015; 14,710,464 convolutional weights at depth 16, 20,018,880 at 19.
    """
    from torchvision.models.vgg import cfgs, make_layers

    nn = torch.nn
    features = make_layers(cfgs[{16: "D", 19: "E"}[depth]], batch_norm=True)  # five poolings: 32 x 32 becomes 1 x 1
    return _kaiming(nn.Sequential(OrderedDict(features=features, flatten=nn.Flatten(), fc=nn.Linear(512, classes))))


def resnet18(classes: int) -> torch.nn.Module:
    """torchvision's ResNet-18 with a 3 x 3 stem and no pooling after it, for small images; 11.2 million parameters.

    He et al., CVPR 2016. It starts as torchvision starts it: Kaiming normal by fan out.
    """
    from torchvision.models import resnet18

    from benchmark.wide_resnet import MeanPool

    nn = torch.nn
    model = resnet18(num_classes=classes)
    model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    model.maxpool = nn.Identity()
    model.avgpool = MeanPool()
    return model


def resnet20(classes: int) -> torch.nn.Module:
    """ResNet-20 for 32 x 32 images: three stages of three blocks with 16, 32 and 64 channels; 272,474 parameters.

    He et al., CVPR 2016, with torchvision's blocks, so that shortcuts that change their shape are 1 x 1 convolutions.
    """
    from torchvision.models.resnet import BasicBlock

    from benchmark.wide_resnet import MeanPool

    nn = torch.nn

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
    return _kaiming(model)


def wide_resnet22(classes: int) -> torch.nn.Module:
    """WRN-22-2 for 32 x 32 images, in which RigL was compared on CIFAR-10: 1,079,642 parameters."""
    from benchmark.wide_resnet import wide_resnet

    return _kaiming(wide_resnet(22, 2, classes))
