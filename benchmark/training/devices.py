"""The devices of this machine: names, precision, numerics, memory and random state."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmark.errors import UsageError
from methods.core.lazy import torch


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_device(name: str) -> None:
    """Raise UsageError unless torch can compute on the device named `cpu`, `cuda`, `cuda:1` or `mps`."""
    if name == "cpu":  # known without torch, which takes seconds to load
        return
    present = ["cpu"]
    present += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    present += ["mps"] * torch.backends.mps.is_available()
    if name not in present and not (name == "cuda" and "cuda:0" in present):
        raise UsageError(f"there is no device {name!r} here; devices are {', '.join(present)}")


def accelerators(name: str) -> int:
    """Return how many devices a name stands for: `cuda` stands for all CUDA devices."""
    return torch.cuda.device_count() if name == "cuda" else 1


def best_precision(name: str) -> str:
    """Return `bf16` for a device that computes in it, else `float32`: elsewhere bf16 is no faster or slower."""
    if name == "cpu":  # older versions of torch cannot tell
        there = hasattr(torch.cpu, "get_capabilities") and torch.cpu.get_capabilities().get("avx512_bf16", False)
    else:
        there = name.startswith("cuda") and torch.cuda.is_available()
        there = there and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16" if there else "float32"


@contextmanager
def numerics() -> Iterator[None]:
    """Compute as every run does: on one thread, without denormal numbers, in float32 where rows say float32.

    torch's settings are restored when the block ends.
    """
    threads, tf32, flushed = torch.get_num_threads(), torch.backends.cudnn.allow_tf32, flushes_denormals()
    torch.set_num_threads(1)  # more threads slow small networks down
    torch.set_flush_denormal(True)  # products of factors near zero are denormal, which slows a CPU two-fold
    torch.backends.cudnn.allow_tf32 = False  # the default for convolutions has a precision of 10 bits, not 23
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(flushed)
        torch.backends.cudnn.allow_tf32 = tf32


def flushes_denormals() -> bool:
    """Tell whether this thread's CPU turns denormal results into zero; torch has no function that says so."""
    smallest = torch.tensor(torch.finfo(torch.float32).tiny)
    return bool(smallest / 2 == 0)


def reset_peak_memory(device: torch.device) -> None:
    """Start a new measurement of `peak_memory_mb`."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory_mb(device: torch.device) -> float | None:
    """Return the peak of megabytes allocated on CUDA since the last reset, or None on other devices.

    Elsewhere only the peak of the whole process is known.
    """
    return torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else None


def hardware(device: torch.device) -> str:
    """Return the model of the processor or accelerator that a torch device stands for."""
    return (
        torch.cuda.get_device_name(device) if device.type == "cuda" else device.type if device.type != "cpu" else cpu()
    )


def cpu_capability(device: torch.device) -> str:
    """Return the vector instructions that torch uses, as in AVX512, or nothing for a device other than a CPU.

    They decide the order of sums, so two machines of one model may give different results if one hides some of them.
    """
    return torch.backends.cpu.get_cpu_capability() if device.type == "cpu" else ""


def cpu() -> str:
    """Return the model of this machine's processor."""
    with suppress(OSError):  # Linux
        if found := re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE):
            return found[1]
    return platform.processor() or platform.machine()


def rng_state(device: torch.device) -> torch.Tensor:
    """Return the state of the generator that dropout on the device draws from."""
    if device.type == "cuda":
        return torch.cuda.get_rng_state(device)
    return torch.mps.get_rng_state() if device.type == "mps" else torch.get_rng_state()


def set_rng_state(device: torch.device, state: torch.Tensor) -> None:
    """Set the state of the generator that dropout on the device draws from."""
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    elif device.type == "mps":
        torch.mps.set_rng_state(state)
    else:
        torch.set_rng_state(state)
