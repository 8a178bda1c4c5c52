"""The contenders that the time of a training step is measured with."""

from __future__ import annotations

import pytest
import torch

from benchmark.profiling import step
from methods import dwf
from methods.core.prunable import prunable_names

TASK = "lenet300-digits"


def trained(contender: step.Contender, steps: int = 20) -> dict[str, torch.Tensor]:
    """Return the prunable weights of a contender's model after some steps."""
    model, take = contender
    for _ in range(steps):
        take()
    return {name: _weight(model, name).detach().clone() for name in NAMES}


def _weight(model: torch.nn.Module, name: str) -> torch.Tensor:
    path, _, attribute = name.rpartition(".")
    weight: torch.Tensor = getattr(model.get_submodule(path), attribute)
    return weight


NAMES = prunable_names(step.get_task(TASK).model())


def seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all contenders start from the same weights, and learn fast enough for a difference to show."""
    monkeypatch.setattr(step, "LR", 0.05)
    monkeypatch.setattr(step, "PENALTY", 0.01)
    torch.manual_seed(0)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_parametrize_computes_the_same_step_as_dwf(depth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seeded(monkeypatch)
    theirs = trained(step.parametrized(TASK, depth, "cpu"))
    seeded(monkeypatch)
    ours = trained(step.ours(TASK, f"dwf[depth={depth},init=ones,rates=equal,by=penalty]", "cpu", 0.01))
    seeded(monkeypatch)
    start = trained(step.parametrized(TASK, depth, "cpu"), steps=0)
    for name in NAMES:
        assert (theirs[name] - start[name]).abs().max() > 0.01  # otherwise the comparison could not fail
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-4, atol=1e-5)


def test_the_table_has_a_row_for_each_contender(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(step, "TASKS", (TASK,))
    monkeypatch.setattr(dwf, "COMPILE_FROM", 10**9)  # compiling takes seconds, and test_compilation.py does it
    step.bench_update("cpu", rounds=1, steps=1)
    printed = capsys.readouterr().out
    assert f"{TASK}, batch" in printed and "ratio to dense" in printed
    for contender in ("dense", *(f"dwf[depth={d}]" for d in (1, 2, 3, 4, 8)), "parametrize, depth 3"):
        assert contender in printed, contender
