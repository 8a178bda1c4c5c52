"""MNIST-1D is generated as published, and random numbers of the caller go on as before."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy
import pytest
import torch

from benchmark.data import mnist1d as loader
from benchmark.errors import UsageError
from benchmark.tasks.loading import load_data
from benchmark.tasks.registry import get_task


def test_the_generated_data_are_the_published_ones(tmp_path: Path) -> None:
    pytest.importorskip("mnist1d")
    before, ours = random.getstate(), str(numpy.random.get_state())  # noqa: NPY002
    loaded = load_data(get_task("mlp-mnist1d"), tmp_path)
    assert random.getstate() == before and str(numpy.random.get_state()) == ours  # noqa: NPY002
    assert [len(targets) for _, targets in (loaded.train, loaded.val, loaded.test)] == [3600, 400, 1000]
    assert loaded.test[1].bincount().min() >= 80
    assert loaded.train[0][:].std() == pytest.approx(1, abs=1e-3)


def test_other_data_of_the_package_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mnist1d")
    monkeypatch.setattr(loader, "DIGEST", "another")
    with pytest.raises(UsageError, match="generates other data than the published"):
        loader.mnist1d(tmp_path)


def test_without_the_package_the_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mnist1d", "mnist1d.data"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match="pip install mnist1d"):
        loader.mnist1d(tmp_path)


def test_the_networks_have_the_published_numbers_of_weights() -> None:
    perceptron, cnn = (get_task(name).model() for name in ("mlp-mnist1d", "cnn-mnist1d"))
    assert sum(p.numel() for p in perceptron.parameters() if p.dim() > 1) == 40 * 500 + 500 * 500 + 500 * 10
    assert sum(p.numel() for p in cnn.parameters()) == 5210  # the size that the authors print
    # The second hidden layer adds to the first: without it the first one reaches the output alone.
    with torch.no_grad():
        perceptron.get_parameter("fc2.weight").zero_()
        x = torch.randn(3, 1, 40)
        first = torch.relu(x.flatten(1) @ perceptron.get_parameter("fc1.weight").T)
        torch.testing.assert_close(perceptron(x), first @ perceptron.get_parameter("fc3.weight").T)
