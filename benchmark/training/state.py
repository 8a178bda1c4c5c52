"""The state of R runs in training, as a checkpoint holds it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from benchmark.data.batches import Batches
from benchmark.training.devices import rng_state, set_rng_state
from benchmark.training.measure import Point
from methods.core.driver import Driver
from methods.core.network import Network


@dataclass
class Progress:
    """The measurements of R runs so far, and the time that they have taken."""

    seconds: float  # training time, set-up included and evaluation excluded
    setup_seconds: float  # the part for the method's set-up, for the starts of its phases and for its finish
    steps: list[int]  # taken by each run until its loss was no longer finite
    finite: list[bool]  # whether each run's loss has been finite in all epochs
    curves: list[list[Point]]
    loss_sum: torch.Tensor  # [R], on the device: the sum of the losses of this epoch's batches

    def end_epoch(self, steps_done: int, steps_per_epoch: int) -> list[float]:
        """Return the mean loss of each run in the epoch, and note which runs are still finite."""
        losses: list[float] = (self.loss_sum / steps_per_epoch).tolist()  # the one synchronization of an epoch
        self.loss_sum.zero_()
        self.steps = [steps_done if ok else taken for ok, taken in zip(self.finite, self.steps, strict=True)]
        self.finite = [ok and math.isfinite(loss) for ok, loss in zip(self.finite, losses, strict=True)]
        return losses

    def add(self, points: list[list[Point]]) -> None:
        """Append points to the curves of the runs that are still finite."""
        pairs = zip(self.curves, points, self.finite, strict=True)
        self.curves = [curve + new if ok else curve for curve, new, ok in pairs]

    def branch(self, places: list[int]) -> None:
        """Go on with one run for each place, which has the measurements of the run there."""
        self.steps, self.finite = [self.steps[i] for i in places], [self.finite[i] for i in places]
        self.curves, self.loss_sum = [list(self.curves[i]) for i in places], self.loss_sum[places]


def snapshot(progress: Progress, driver: Driver, streams: dict[str, Any]) -> dict[str, Any]:
    """Return what a checkpoint saves; `streams` is the state of the batches at the start of the epoch."""
    device = driver.net.weights.device
    return {
        "progress": vars(progress),
        "driver": driver.state_dict(),
        "network": _tensors(driver.net),
        "batches": streams,
        "noise": {device.type: rng_state(device)},
    }


def resume(saved: dict[str, Any], driver: Driver, batches: Batches) -> Progress:
    """Restore networks, method, batches and random numbers from a snapshot, and return the progress."""
    device = driver.net.weights.device
    for tensor, value in zip(_tensors(driver.net), saved["network"], strict=True):
        tensor.copy_(value)
    driver.load_state_dict(saved["driver"])
    batches.load_state_dict(saved["batches"])
    if device.type in saved["noise"]:  # the state of a generator has no meaning on another kind of device
        set_rng_state(device, saved["noise"][device.type])
    progress = Progress(**saved["progress"])
    progress.loss_sum = progress.loss_sum.to(device)
    return progress


def _tensors(net: Network) -> list[torch.Tensor]:
    """Return the parameters and buffers of the networks, which training writes in place."""
    return [net.weights, net.other_params, *net.buffers()]
