"""Settings of the tests, and fixtures: one thread, small networks, and synthetic data."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import settings

from benchmark.contract import stage
from benchmark.contract.stage import ARCHITECTURES
from benchmark.data.split import Data
from benchmark.experiments.registry import EXPERIMENTS
from benchmark.tasks.registry import SCHEMES, TASKS
from methods import METHODS
from methods.core.network import Network
from plots.registry import FIGURES
from tests.builders import mlp

torch.set_num_threads(1)
# A process in the background ignores Ctrl-C, and so do the sweeps that it starts; the tests interrupt sweeps.
signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("sparsefront", deadline=None)  # machines are shared and noisy
settings.load_profile("sparsefront")


@pytest.fixture(params=list(ARCHITECTURES.values()), ids=list(ARCHITECTURES))
def architecture(request: pytest.FixtureRequest) -> Callable[[int], torch.nn.Module]:
    return request.param


@pytest.fixture
def net() -> Network:
    return Network([mlp()])


@pytest.fixture(scope="session")
def toy_data() -> Data:
    return stage.toy_data()


@pytest.fixture(autouse=True)
def plugins_are_forgotten() -> Iterator[None]:
    """Remove the methods, tasks, experiments and figures that a test registers."""
    registries: list[dict[str, Any]] = [METHODS, TASKS, SCHEMES, EXPERIMENTS]
    before = [registry.copy() for registry in registries]
    yield
    for registry, content in zip(registries, before, strict=True):
        registry.clear()
        registry.update(content)
    FIGURES[:] = [figure for figure in FIGURES if figure.draw.__module__.startswith("plots.")]
