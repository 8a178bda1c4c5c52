"""Experiments on the networks and data sets of the DWF paper, and on a transformer. All but the LeNets need a GPU.

Convolutions and attention compute in bf16 with float32 weights.
"""

from __future__ import annotations

from dataclasses import replace

from benchmark.experiments.experiment import Experiment
from benchmark.experiments.fronts import grid
from benchmark.experiments.registry import experiment


def _mixed(task: str) -> Experiment:
    return replace(grid(task), precision="bf16")


def _large(task: str) -> Experiment:
    return replace(_mixed(task), smoke_methods=("dense", "dwf[depth=3]", "magnitude"))


@experiment
def lenet5_mnist() -> Experiment:
    """DWF against pruning: LeNet-5 on MNIST.

    Five hours on two cores that compute in bf16. Expected: dense at 99.2 %. Not measured yet.
    """
    return _mixed("lenet5-mnist")


@experiment
def lenet5_fmnist() -> Experiment:
    """DWF against pruning: LeNet-5 on Fashion-MNIST.

    Five hours on two cores that compute in bf16, a third of it for `--seeds 0`. Expected: dense at 91 to 92 %.
    """
    return _mixed("lenet5-fmnist")


@experiment
def lenet5_kmnist() -> Experiment:
    """DWF against pruning: LeNet-5 on Kuzushiji-MNIST.

    Five hours on two cores that compute in bf16. Expected: the order of methods on MNIST. Not measured yet.
    """
    return _mixed("lenet5-kmnist")


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
    return _large("vgg16-cifar10")


@experiment
def vgg16_cifar100() -> Experiment:
    """DWF against pruning: VGG-16 on CIFAR-100.

    Days on one accelerator. Expected: dense at 73 %, SynFlow above SNIP above random at CR 100. Not measured yet.
    """
    return _large("vgg16-cifar100")


@experiment
def vgg19_cifar100() -> Experiment:
    """DWF against pruning: VGG-19 on CIFAR-100.

    Days on one accelerator. Expected: dwf within 10 points of dense to CR 1000, SynFlow to 200. Not measured yet.
    """
    return _large("vgg19-cifar100")


@experiment
def resnet18_cifar10() -> Experiment:
    """DWF against pruning: ResNet-18 on CIFAR-10.

    Days on one accelerator. Expected: dense at 95 %, SNIP at 91 % and random at 83 % at CR 100. Not measured yet.
    """
    return _large("resnet18-cifar10")


@experiment
def resnet18_tinyimagenet() -> Experiment:
    """DWF against pruning: ResNet-18 on Tiny ImageNet.

    A week on one accelerator. Expected: dense at 63 %, SynFlow at 44 % at CR 100. Not measured yet.
    """
    return _large("resnet18-tinyimagenet")


@experiment
def resnet20_cifar10() -> Experiment:
    """DWF against pruning: ResNet-20 on CIFAR-10.

    A day on one accelerator. Expected: dense at 91.3 %. Not measured yet.
    """
    return _large("resnet20-cifar10")


@experiment
def resnet20_proof() -> Experiment:
    """Check that a network with batch norm trains: ResNet-20 on CIFAR-10, three epochs. A check, not a result.

    Forty minutes on two cores, a third of it for `--seeds 0`. Expected: dense and weak penalties far above chance.
    """
    some, methods = {"density": (0.2, 0.05), "strength": (1.0, 6.5)}, ("dense", "dwf[depth=3]", "magnitude")
    return replace(_mixed("resnet20-cifar10"), methods=methods, values=some, epochs=3)


@experiment
def resnet20_short() -> Experiment:
    """Compare families on ResNet-20 and CIFAR-10 after six epochs: the order of methods, not their best.

    Nobody searched the learning rates: all methods have the recipe's. Four hours on two cores that compute in bf16, a
    third of it for `--seeds 0`. Expected: SynFlow above random at CR 100 (Tanaka et al., 2020, on larger networks).
    """
    return Experiment(
        tasks=("resnet20-cifar10",),
        methods=(
            *("dense", "dwf[depth=2]", "dwf[depth=3]", "dwf[depth=4]", "prox-lq[q=2/3]"),
            *("gmp", "magnitude", "synflow", "random[distribution=erk]"),
        ),
        values={"density": (0.2, 0.05, 0.01), "strength": (3.0, 6.5, 9.0), "prox-lq": (1e-4, 5e-4)},
        epochs=6,
        precision="bf16",
        smoke_methods=("dense", "dwf[depth=3]", "magnitude"),
    )


@experiment
def short_cifar10() -> Experiment:
    """Compare DWF with its penalty and masks on ResNet-18, VGG-16 and ResNet-20 after ten epochs on CIFAR-10.

    Nobody searched the learning rates: all methods have the recipe's. Two hours on one H100.
    Expected: SynFlow above random at CR 100 (Tanaka et al., 2020).
    """
    depths = tuple(f"dwf[depth={depth},by=penalty]" for depth in (2, 3, 4))
    return Experiment(
        tasks=("resnet18-cifar10", "vgg16-cifar10", "resnet20-cifar10"),
        methods=("dense", *depths, "prox-lq[q=2/3]", "gmp", "magnitude", "synflow", "random[distribution=erk]"),
        values={"density": (0.1, 0.03, 0.01, 0.003), "penalty": (1e-5, 3e-5, 1e-4, 3e-4, 1e-3)},
        epochs=10,
        precision="bf16",
        smoke_methods=("dense", "dwf[depth=3,by=penalty]"),
    )


@experiment
def vit_cifar10() -> Experiment:
    """DWF against pruning: ViT-Tiny on CIFAR-10.

    Days on one accelerator. Expected: unknown. Not measured yet.
    """
    return _large("vit-cifar10")
