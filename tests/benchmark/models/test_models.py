"""Networks: parameter counts as published, and outputs of the right shape."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch

from benchmark.models.lenets import lenet5, lenet300
from benchmark.models.resnets import resnet18, resnet20
from benchmark.models.vggs import vgg
from benchmark.models.wide_resnet import wide_resnet22
from methods.core.prunable import prunable_names


@pytest.mark.parametrize(
    ("build", "shape", "classes", "parameters", "prunable"),
    [
        (partial(lenet300, 784), (1, 28, 28), 10, 266_610, 266_200),
        (partial(lenet5, 1), (1, 28, 28), 10, 431_080, 430_500),
        (partial(vgg, 16), (3, 32, 32), 10, None, 14_710_464 + 5_120),
        (partial(vgg, 19), (3, 32, 32), 100, None, 20_018_880 + 51_200),
        (resnet18, (3, 32, 32), 10, 11_173_962, None),
        (resnet20, (3, 32, 32), 10, 272_474, None),
        (wide_resnet22, (3, 32, 32), 10, None, None),
    ],
)
def test_counts_and_shapes(
    build: Callable[[int], torch.nn.Module], shape: tuple[int, ...], classes: int, parameters: int, prunable: int
) -> None:
    model = build(classes).eval()
    assert model(torch.zeros(2, *shape)).shape == (2, classes)
    assert parameters in (None, sum(parameter.numel() for parameter in model.parameters()))
    assert prunable in (None, sum(model.get_parameter(name).numel() for name in prunable_names(model)))


def test_a_wide_resnet_has_the_weights_of_its_definition() -> None:
    """The parts are a stem, three stages of three blocks of two 3 x 3 convolutions, three shortcuts, a classifier."""
    stages = sum(9 * a * b + 5 * 9 * b * b + a * b for a, b in ((16, 32), (32, 64), (64, 128)))
    model = wide_resnet22(10)
    assert sum(model.get_parameter(name).numel() for name in prunable_names(model)) == 9 * 3 * 16 + stages + 1_280


def test_resnets_accept_images_of_another_size() -> None:
    assert resnet18(200).eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 200)
