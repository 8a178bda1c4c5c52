"""The promises of methods that prune to a density."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from benchmark.contract.promise import require
from benchmark.contract.stage import Build, FakeProbe, mlp, toy_data, toy_task, values_of
from benchmark.training.loop import train
from methods.core.base import Method
from methods.core.network import Network
from methods.core.optimizers import Sgd
from methods.core.registry import MethodError, parse


def masks(method: Method) -> Iterator[torch.Tensor]:
    """Yield the masks [R, N], True where a weight is kept, of a method and of those that it wraps, outermost first."""
    mask = getattr(method, "mask", None)
    if isinstance(mask, torch.Tensor):
        yield mask
    held = [value for value in vars(method).values() if isinstance(value, Method) and value is not method.inner]
    for one in [*held, method.inner]:
        if one is not None:
            yield from masks(one)


def keeps_pruned_weights_at_zero(form: str, build: Build) -> int:
    """Train under momentum, weight decay and bf16, and look after each step; return the number of steps with a mask."""
    method = parse(form)
    update, masked = method.update, 0

    def watched(lr: torch.Tensor) -> None:
        nonlocal masked
        update(lr)
        mask = next(masks(method), None)
        if mask is not None:
            count = int(method.net.weights[~mask].count_nonzero())
            require(not count, f"{count} pruned weights are not zero after a step")
            masked += 1

    method.update = watched  # type: ignore[method-assign]
    task = toy_task(build)
    train(task, method, values_of(form)[:2][-1:], [0], 2, task.learning_rate_of(method), toy_data(), "bf16")
    return masked


def counts_exactly_for_any_scores(form: str, build: Build) -> None:
    """Drive the method by hand, with weights and gradients that are all equal, all zero, and NaN."""
    for scores, weight, gradient in (("equal", 0.1, 1.0), ("zero", 0.0, 0.0), ("NaN", 0.1, math.nan)):
        net, method, (density,) = Network([mlp()]), parse(form), values_of(form)[:2][-1:]
        net.weights.fill_(weight)
        probe = FakeProbe(net, [0.1] * 12)
        probe.made.fill_(gradient)
        try:
            method.bind(net, [density], Sgd(), 1e-3, probe)
            for phase in range(len(method.phases_at(density))):
                method.on_phase_start(phase)
                for _ in range(4):
                    net.grad.fill_(0.0)
                    method.update(torch.tensor(0.1))
        except MethodError as error:  # scores that rank no weight may be refused
            require("scores" in str(error), f"it fails if all scores are {scores}: {error}")
            continue
        method.finish()
        mask = next(masks(method), None)
        if mask is None:
            mask = net.weights != 0
        kept, expected = int(mask.sum()), round(density * mask.numel())
        require(kept == expected, f"it keeps {kept} weights, not {expected}, if all scores are {scores}")
        require(not net.weights[~mask].any(), f"pruned weights are not zero if all scores are {scores}")
