"""The state of a process that computes packs, and what a run in this process leaves behind."""

from __future__ import annotations

import pickle
import signal
from pathlib import Path

import pytest
import torch

from benchmark.data.inputs import InMemory
from benchmark.data.split import Data
from benchmark.engines import worker as module
from benchmark.engines.dispatch import run_all
from benchmark.engines.settings import Settings
from benchmark.engines.worker import Worker
from benchmark.experiments.run import Run

SETTINGS = Settings("cpu", Path("nowhere"))


def test_a_worker_keeps_the_data_of_its_last_two_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    original = module.task_data

    def task_data(task: str, synthetic: bool, folder: Path) -> Data:
        loaded.append(task)
        return original(task, synthetic, folder)

    monkeypatch.setattr(module, "task_data", task_data)
    worker, other = Worker(SETTINGS), Worker(SETTINGS)
    digits = worker.data("lenet300-digits", True)
    assert worker.data("lenet300-digits", True) is digits and len(loaded) == 1
    worker.data("lenet300-mnist", True)
    assert worker.data("lenet300-digits", True) is digits
    worker.data("lenet5-mnist", True)
    assert worker.data("lenet300-digits", True) is not digits
    assert other.data("lenet300-digits", True) is not digits  # workers share nothing


def test_a_run_in_this_process_leaves_torch_and_signals_as_they_were() -> None:
    threads, tf32 = torch.get_num_threads(), torch.backends.cudnn.allow_tf32
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    tiny = torch.tensor(torch.finfo(torch.float32).tiny)
    torch.set_num_threads(2)
    torch.backends.cudnn.allow_tf32 = True
    torch.set_flush_denormal(True)
    try:
        run = Run("lenet300-digits", "dense", 1.0, 0, 1, 0.1, synthetic=True)
        assert [len(part) for part in run_all([[run]], SETTINGS, 1)] == [1]
        assert torch.get_num_threads() == 2 and torch.backends.cudnn.allow_tf32 and tiny / 2 == 0
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)
        torch.backends.cudnn.allow_tf32 = tf32


def test_inputs_in_memory_survive_pickling() -> None:
    inputs = InMemory(torch.arange(6.0).view(3, 2))
    assert torch.equal(pickle.loads(pickle.dumps(inputs))[:], inputs[:])
