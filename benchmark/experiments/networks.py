"""The pairs of network and data set of the DWF paper, and a transformer; for an accelerator, but for LeNets."""

from __future__ import annotations

from benchmark.experiments import Experiment, experiment
from benchmark.experiments.fronts import grid


@experiment
def lenet5_mnist() -> Experiment:
    """DWF against pruning: LeNet-5 on MNIST.

    Half a day on two cores. Expected: dense at 99.2 %. Not measured yet.
    """
    return grid("lenet5-mnist")


@experiment
def lenet5_fmnist() -> Experiment:
    """DWF against pruning: LeNet-5 on Fashion-MNIST.

    Half a day on two cores. Expected: dense at 91 to 92 %. Not measured yet.
    """
    return grid("lenet5-fmnist")


@experiment
def lenet5_kmnist() -> Experiment:
    """DWF against pruning: LeNet-5 on Kuzushiji-MNIST.

    Half a day on two cores. Expected: the order of methods on MNIST. Not measured yet.
    """
    return grid("lenet5-kmnist")


@experiment
def lenet300_kmnist() -> Experiment:
    """DWF against pruning: LeNet-300-100 on Kuzushiji-MNIST.

    Two hours on two cores. Expected: the order of methods on MNIST. Not measured yet.
    """
    return grid("lenet300-kmnist")


@experiment
def vgg16_cifar10() -> Experiment:
    """DWF against pruning: VGG-16 on CIFAR-10.

    Days on one accelerator. Expected: dense at 93.5 %, SynFlow above SNIP above random at CR 100. Not measured yet.
    """
    return grid("vgg16-cifar10")


@experiment
def vgg16_cifar100() -> Experiment:
    """DWF against pruning: VGG-16 on CIFAR-100.

    Days on one accelerator. Expected: dense at 73 %, SynFlow above SNIP above random at CR 100. Not measured yet.
    """
    return grid("vgg16-cifar100")


@experiment
def vgg19_cifar100() -> Experiment:
    """DWF against pruning: VGG-19 on CIFAR-100.

    Days on one accelerator. Expected: dwf within 10 points of dense to CR 1000, SynFlow to 200. Not measured yet.
    """
    return grid("vgg19-cifar100")


@experiment
def resnet18_cifar10() -> Experiment:
    """DWF against pruning: ResNet-18 on CIFAR-10.

    Days on one accelerator. Expected: dense at 95 %, SNIP at 91 % and random at 83 % at CR 100. Not measured yet.
    """
    return grid("resnet18-cifar10")


@experiment
def resnet18_tinyimagenet() -> Experiment:
    """DWF against pruning: ResNet-18 on Tiny ImageNet.

    A week on one accelerator. Expected: dense at 63 %, SynFlow at 44 % at CR 100. Not measured yet.
    """
    return grid("resnet18-tinyimagenet")


@experiment
def resnet20_cifar10() -> Experiment:
    """DWF against pruning: ResNet-20 on CIFAR-10.

    A day on one accelerator. Expected: dense at 91.3 %. Not measured yet.
    """
    return grid("resnet20-cifar10")


@experiment
def vit_cifar10() -> Experiment:
    """DWF against pruning: ViT-Tiny on CIFAR-10.

    Days on one accelerator. Expected: not known to us. Not measured yet.
    """
    return grid("vit-cifar10")
