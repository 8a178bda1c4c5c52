"""Settings of the tests, and fixtures: one thread, small networks, and synthetic data."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
import torch
from hypothesis import settings

from benchmark.contract import stage
from benchmark.contract.stage import ARCHITECTURES
from benchmark.data.split import Data
from methods.core.network import Network
from tests.builders import mlp

torch.set_num_threads(1)
# A process in the background ignores Ctrl-C, and so do the sweeps that it starts; the tests interrupt sweeps.
signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("sparsefront", deadline=None)  # machines are shared and noisy
settings.load_profile("sparsefront")


@pytest.fixture(params=ARCHITECTURES.values(), ids=ARCHITECTURES.keys())
def architecture(request: pytest.FixtureRequest) -> Callable[[int], torch.nn.Module]:
    return request.param


@pytest.fixture
def net() -> Network:
    return Network([mlp()])


@pytest.fixture(scope="session")
def toy_data() -> Data:
    return stage.toy_data()
