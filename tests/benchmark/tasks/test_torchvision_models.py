"""Networks of torchvision by name."""

from __future__ import annotations

import pytest
import torch

from benchmark.errors import UsageError
from benchmark.tasks.registry import canonical_task, get_task
from benchmark.tasks.torchvision_models import network


def test_a_network_of_torchvision_is_a_task_on_small_and_on_large_images() -> None:
    small = get_task("torchvision:mobilenet_v3_small-cifar100")
    with torch.no_grad():
        assert small.model().eval()(small.zeros(2)).shape == (2, 100)
    large = get_task("torchvision:resnet18-birds[classes=7,images=40]")
    assert (large.shape, large.classes, large.examples, large.dataset) == ((3, 224, 224), 7, 36, "birds")
    assert canonical_task("torchvision:resnet18-imagenet[classes=1000]") == "torchvision:resnet18-imagenet"


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_a_network_with_a_second_output_in_training_is_built_without_it(name: str) -> None:
    get_task(f"torchvision:{name}-birds[classes=7,images=40]")
    with torch.device("meta"):
        assert network(name, 7, 224).train()(torch.zeros(2, 3, 224, 224)).shape == (2, 7)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("torchvision:resnet19-cifar10", r"has no model 'resnet19' \(did you mean resnet18"),
        ("torchvision:alexnet-cifar10", "does not take images of 32 x 32"),
        ("torchvision:inception_v3-cifar10", "does not take images of 32 x 32"),
        ("torchvision:resnet18-birds", r"is not torchvision:MODEL-DATASET with a data set of cifar10"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        get_task(name)
