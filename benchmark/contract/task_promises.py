"""The promises of every task. They look at network and recipe on synthetic data and never load the data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from benchmark.contract.promise import require
from benchmark.errors import UsageError
from benchmark.tasks.loading import check_network
from benchmark.tasks.registry import get_task
from benchmark.training.loop import train
from methods.core.network import Network
from methods.core.registry import METHODS, MethodError, parse


def builds_a_network_with_prunable_weights(name: str) -> None:
    network = Network([get_task(name).model()])
    require(network.weights.numel(), "the network has no linear or convolutional layer to prune")


def maps_inputs_to_outputs(name: str) -> None:
    try:
        check_network(get_task(name))
    except UsageError as error:
        require(False, str(error))


def draws_its_weights_from_torchs_seed(name: str) -> None:
    models = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        models.append(Network([get_task(name).model()]).weights)
    require(torch.equal(models[0], models[1]), "the same seed gives two networks with other weights")
    require(not torch.equal(models[0], models[2]), "two seeds give networks with the same weights")


def has_a_recipe_that_can_be_trained(name: str) -> None:
    task = get_task(name)  # refuses a field out of range
    for written in task.learning_rates:
        try:
            parse(written)
        except MethodError as error:
            require(False, f"learning_rates names {written!r}: {error}")


def trains_for_two_steps(name: str) -> None:
    task = get_task(name)
    batch_size = min(task.batch_size, 8)
    data = task.synthetic_batches(2, batch_size)
    small = replace(task, batch_size=batch_size)
    (result,) = train(small, METHODS["dense"](), [1.0], [0], 1, task.learning_rate, data, "float32")
    row = result.measured
    require(row.status == "ok", f"the run ended as {row.status}: {row.error}")
    losses = [value for _, metric, value in result.curves if metric == "val_loss"]
    require(losses[0] != losses[-1], "two steps of training change no output")


PROMISES: dict[str, Callable[[str], object]] = {
    "the recipe is complete and in range": has_a_recipe_that_can_be_trained,
    "the network builds and has weights to prune": builds_a_network_with_prunable_weights,
    "the network maps inputs of its shape to its classes": maps_inputs_to_outputs,
    "the network's weights follow from the seed": draws_its_weights_from_torchs_seed,
    "two steps of training change the network": trains_for_two_steps,
}
