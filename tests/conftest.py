"""Settings of the tests, and fixtures: one thread, small networks, and synthetic data."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import settings

from benchmark.contract import stage
from benchmark.contract.stage import ARCHITECTURES
from benchmark.data.split import Data
from benchmark.engines import local
from benchmark.experiments.registry import EXPERIMENTS
from benchmark.tasks.registry import SCHEMES, TASKS
from methods import METHODS
from methods.core.network import Network
from plots.registry import FIGURES
from tests.builders import mlp
from tests.processes import FORKED

torch.set_num_threads(1)
# A process in the background ignores Ctrl-C, and so do the sweeps that it starts; the tests interrupt sweeps.
signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("sparsefront", deadline=None)  # machines are shared and noisy
settings.load_profile("sparsefront")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start slow tests first, so that at the end no process waits for one of them."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


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
def workers_start_in_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the workers of sweeps in this process from a server that has imported torch."""
    monkeypatch.setattr(local, "multiprocessing", SimpleNamespace(get_context=lambda method: FORKED))


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
