"""The fused update: compiled and eager numbers agree, a step allocates nothing, and it works without a compiler."""

from __future__ import annotations

import logging
import shutil
from functools import partial
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from methods import dwf
from methods.core import compilation
from methods.core.network import Network
from methods.core.optimizers import Adam, Optimizer, Sgd
from methods.core.registry import parse
from methods.dwf import Factorization
from tests.builders import FakeProbe, mlp


def started(depth: int, optimizer: Optimizer, runs: int = 1) -> Factorization:
    net = Network([mlp() for _ in range(runs)])
    method = parse(f"dwf[depth={depth}]")
    assert isinstance(method, Factorization)
    method.bind(net, [2.0] * runs, optimizer, 0.0, FakeProbe(net, [0.1] * 5))
    return method


def trained(method: Factorization) -> torch.Tensor:
    for step in range(5):
        method.net.grad.copy_(torch.sin(torch.arange(method.net.grad.numel()) + step).view_as(method.net.grad))
        method.update(torch.tensor(0.1 / (step + 1)))
    return method.net.weights


def test_the_compiler_does_not_say_that_a_machine_has_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    compilation._compiled(partial(dwf.step))
    log = logging.getLogger("torch.utils.cpp_extension")  # torch.compile imports this module, also for a CPU
    said: list[str] = []
    monkeypatch.setattr(log, "handle", lambda record: said.extend([record.getMessage()] * bool(log.filter(record))))
    log.warning("No CUDA runtime is found, using CUDA_HOME='%s'", "/usr/local/cuda")
    log.warning("another warning")
    assert said == ["another warning"]


@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="needs a C++ compiler")
@pytest.mark.parametrize(("depth", "optimizer", "runs"), [(3, Sgd(0.9), 2), (4, Sgd(0.0), 1), (2, Adam(), 1)])
def test_compiled_updates_equal_eager_updates(
    depth: int, optimizer: Optimizer, runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    eager = trained(started(depth, optimizer, runs))
    monkeypatch.setattr(dwf, "COMPILE_FROM", 0)
    method = started(depth, optimizer, runs)
    assert method.step is not dwf.step
    limit = torch._dynamo.config.recompile_limit
    torch.testing.assert_close(trained(method), eager, rtol=1e-5, atol=1e-7)
    assert torch._dynamo.config.recompile_limit == limit  # a user's own compiled functions keep theirs
    assert not compilation.COMPILER.failure


def test_updates_without_a_compiler_are_eager_after_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def broken(function: Any, **options: Any) -> Any:
        def call(*arguments: Any) -> None:
            calls.append(1)
            raise torch._dynamo.exc.TorchDynamoException("no compiler here")

        return call

    monkeypatch.setattr(compilation.COMPILER, "failure", "")
    monkeypatch.setattr(torch, "compile", broken)
    monkeypatch.setattr(dwf, "COMPILE_FROM", 0)
    monkeypatch.setattr(dwf, "step", partial(dwf.step))  # a function that no other test has compiled
    method = started(3, Sgd(0.9))
    with pytest.warns(UserWarning, match="no compiler here"):
        weights = trained(method)
    monkeypatch.setattr(dwf, "COMPILE_FROM", 10**9)
    assert torch.equal(weights, trained(started(3, Sgd(0.9)))) and len(calls) == 1
    assert started(3, Sgd(0.9)).step is dwf.step


class Allocations(TorchDispatchMode):
    """A mode that counts the new tensors of at least a network's size."""

    def __init__(self, known: list[torch.Tensor], size: int):
        super().__init__()
        self.known, self.size, self.count = {tensor.untyped_storage().data_ptr() for tensor in known}, size, 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = function(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, list | tuple) else [out]:
            if isinstance(tensor, torch.Tensor) and tensor.numel() >= self.size:
                self.count += tensor.untyped_storage().data_ptr() not in self.known
        return out


@pytest.mark.parametrize("optimizer", [Sgd(0.9), Sgd(0.0)], ids=["momentum", "plain"])
@pytest.mark.parametrize("depth", [1, 2, 3, 4, 8])
def test_a_step_allocates_nothing_and_keeps_two_tensors_for_each_factor(depth: int, optimizer: Optimizer) -> None:
    method = started(depth, optimizer)
    net, size = method.net, method.net.weights.numel()
    momenta = [tensor for state in method.states for tensor in state.values()]
    kept = [method.factors, method.scratch, method.rate, method.slope, method.pace, *momenta]
    assert sum(tensor.numel() for tensor in kept) == (2 if momenta else 1) * depth * size + 4 * size
    with Allocations([*kept, net.weights, net.grad], size) as allocations:
        trained_once = torch.tensor(0.1)
        method.update(trained_once)
    assert allocations.count == 0
