"""Which cores and devices this machine has, and the memory that runs take on them."""

from __future__ import annotations

import os
import platform
import re
from contextlib import suppress
from pathlib import Path

from benchmark.errors import UsageError
from methods.core.lazy import torch


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_device(name: str) -> None:
    """Raise UsageError unless torch can compute on the device named `cpu`, `cuda`, `cuda:1` or `mps`."""
    present = ["cpu"]
    present += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    present += ["mps"] * torch.backends.mps.is_available()
    if name not in present and not (name == "cuda" and "cuda:0" in present):
        raise UsageError(f"there is no device {name!r} here; devices are {', '.join(present)}")


def accelerators(name: str) -> int:
    """How many devices a name stands for: `cuda` for all that are there."""
    return torch.cuda.device_count() if name == "cuda" else 1


def best_precision(name: str) -> str:
    """`bf16` on a device that computes in it, `float32` elsewhere: other processors and MPS gain nothing or lose."""
    if name == "cpu":  # an older torch cannot tell what a processor computes in
        there = hasattr(torch.cpu, "get_capabilities") and torch.cpu.get_capabilities().get("avx512_bf16", False)
    else:
        there = name.startswith("cuda") and torch.cuda.is_available()
        there = there and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16" if there else "float32"


def settle() -> None:
    """How every process computes: on one thread, and in float32 where that is what rows say."""
    torch.set_num_threads(1)  # on small networks more threads lose
    torch.set_flush_denormal(True)  # products of factors near zero are denormal, which slows a CPU two-fold
    torch.backends.cudnn.allow_tf32 = False  # convolutions' default on CUDA, of ten bits where float32 has 23


def reset_peak_memory(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory_mb(device: torch.device) -> float | None:
    """Megabytes allocated on CUDA since the last reset; None elsewhere, where only the process's peak is known."""
    return torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else None


def hardware(device: torch.device) -> str:
    """Model of the processor or accelerator that a torch device stands for."""
    return (
        torch.cuda.get_device_name(device) if device.type == "cuda" else device.type if device.type != "cpu" else cpu()
    )


def cpu() -> str:
    """Model of this machine's processor."""
    with suppress(OSError):  # Linux
        if found := re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE):
            return found[1]
    return platform.processor() or platform.machine()


def rng_state(device: torch.device) -> torch.Tensor:
    """Of the generator that dropout on the device draws from."""
    if device.type == "cuda":
        return torch.cuda.get_rng_state(device)
    return torch.mps.get_rng_state() if device.type == "mps" else torch.get_rng_state()


def set_rng_state(device: torch.device, state: torch.Tensor) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    elif device.type == "mps":
        torch.mps.set_rng_state(state)
    else:
        torch.set_rng_state(state)
