"""The precision that `auto` chooses for a device, and the numerics of torch that a run sets."""

from __future__ import annotations

import pytest
import torch

from benchmark.training.devices import best_precision, numerics


@pytest.mark.parametrize(
    ("capabilities", "precision"),
    [({"avx512_bf16": True}, "bf16"), ({"avx512_bf16": False}, "float32"), ({"neon": True}, "float32")],
)
def test_auto_precision_is_bf16_on_a_cpu_with_bf16_units(
    capabilities: dict[str, bool], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert best_precision("cpu") == precision


def test_auto_precision_is_float32_if_torch_does_not_know_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert best_precision("cpu") == "float32"


def test_auto_precision_on_a_gpu_depends_on_that_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for there, computes, precision in ((True, True, "bf16"), (True, False, "float32"), (False, True, "float32")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, own=computes: own)
        assert best_precision("cuda:1") == precision
    assert best_precision("mps") == "float32"


def test_numerics_are_restored_even_after_an_error() -> None:
    before = torch.get_num_threads(), torch.backends.cudnn.allow_tf32
    tiny = torch.tensor(torch.finfo(torch.float32).tiny)
    for flushed in (False, True):
        torch.set_num_threads(2)
        torch.backends.cudnn.allow_tf32 = True
        torch.set_flush_denormal(flushed)
        try:
            with pytest.raises(ValueError), numerics():
                assert torch.get_num_threads() == 1 and not torch.backends.cudnn.allow_tf32
                assert tiny / 2 == 0
                raise ValueError
            assert torch.get_num_threads() == 2 and torch.backends.cudnn.allow_tf32
            assert bool(tiny / 2 == 0) is flushed
        finally:
            torch.set_flush_denormal(False)
            torch.set_num_threads(before[0])
            torch.backends.cudnn.allow_tf32 = before[1]
