"""The driver of a method: its steps, phases and end."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch

from methods.core.base import Method
from methods.core.driver import Driver, phase_edges
from methods.core.network import Network
from methods.core.optimizers import Sgd
from tests.builders import FakeProbe, mlp


class Diary(Method):
    """A method that writes down what happens to it."""

    name, knob = "diary", "none"
    phases: ClassVar[tuple[float, ...]] = (0.5, 0.25, 0.0, 0.25)
    state_names: ClassVar[tuple[str, ...]] = ("pages",)

    def setup(self, net: Network, probe: Any) -> None:
        super().setup(net, probe)
        self.pages: list[str] = []

    def on_phase_start(self, phase: int) -> None:
        self.pages.append(f"phase {phase}")

    def update(self, lr: torch.Tensor) -> None:
        super().update(lr)
        self.pages.append(f"step at {float(lr):g}")

    def finish(self) -> None:
        self.pages.append("finish")


def driven(steps: int = 0) -> tuple[Driver, Diary]:
    net, method = Network([mlp()]), Diary()
    driver = Driver(net, method, [1.0], Sgd(0.0), 0.0, FakeProbe(net, [0.5] * 4), budget=4)
    for _ in range(steps):
        driver.start_phases()
        driver.step(0.5, 0.25)
    return driver, method


@pytest.mark.parametrize(
    ("phases", "budget", "edges"),
    [
        ((1.0,), 10, [0, 10]),
        ((0.75, 0.25), 10, [0, 8, 10]),  # 7.5 rounds to the even 8
        ((1.0, 1.0, 1.0), 7, [0, 7, 14, 21]),
        ((1.0, 1.0), 3.5, [0, 4, 7]),  # seven steps in all, as a script counts them
        ((0.99, 0.01), 20, [0, 20, 20]),  # a phase too short for a step
    ],
)
def test_edges_of_phases_are_rounded_shares_of_the_budget(
    phases: tuple[float, ...], budget: float, edges: list[int]
) -> None:
    assert phase_edges(phases, budget) == edges


def test_phases_start_before_their_first_step_and_only_once() -> None:
    driver, method = driven(3)
    driver.start_phases()  # phase 2 has no step, so it starts with phase 3
    driver.start_phases()
    step = "step at 0.5"
    assert method.pages == ["phase 0", step, step, "phase 1", step, "phase 2", "phase 3"]


def test_finish_starts_the_phases_that_training_has_not_reached() -> None:
    driver, method = driven(1)
    driver.finish()
    assert method.pages == ["phase 0", "step at 0.5", "phase 1", "phase 2", "phase 3", "finish"]


def test_weights_and_other_parameters_move_at_their_own_learning_rates() -> None:
    driver, _ = driven()
    weights, others = driver.net.weights.clone(), driver.net.other_params.clone()
    driver.net.grad.fill_(1.0)
    driver.net.other_grad.fill_(1.0)
    driver.step(0.5, 0.25)
    torch.testing.assert_close(driver.net.weights, weights - 0.5)
    torch.testing.assert_close(driver.net.other_params, others - 0.25)


def test_a_resumed_driver_starts_no_phase_twice() -> None:
    before, _ = driven(3)
    after, method = driven()
    after.load_state_dict(before.state_dict())
    assert after.steps_done == 3
    after.start_phases()
    assert method.pages[-3:] == ["step at 0.5", "phase 2", "phase 3"]
