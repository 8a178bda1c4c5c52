"""The memory that forms of networks take, each measured in a process of its own."""

from __future__ import annotations

import resource
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import nn

from benchmark.deployment.exports import onnx_content
from benchmark.deployment.sparse_rows import with_sparse_rows
from benchmark.profiling.forms import Form, Forward, forward_of

EXAMPLE = torch.zeros(1, 1, 8, 8)  # an input of the tiny network
# Modules that each process would import otherwise, among them those of the script that measures.
NEEDED = ("benchmark.sweep.kept", "benchmark.profiling.timing", "onnxruntime")

Measure = Callable[[Form, torch.Tensor, int], float]


@contextmanager
def processes() -> Iterator[Measure]:
    """Give a function of a form, its inputs and the threads, which returns `grown_mb` in a new process."""
    context = get_context("forkserver")  # its processes have loaded torch, and hold nothing of this process
    context.set_forkserver_preload([__name__, *NEEDED])
    with TemporaryDirectory() as folder, ProcessPoolExecutor(1, context, max_tasks_per_child=1) as executor:

        def measure(form: Form, inputs: torch.Tensor, threads: int) -> float:
            kind = "onnx" if isinstance(form, bytes) else "csr" if _has_rows(form) else "dense"
            tiny, own, batch = (
                _written(part, Path(folder) / name)
                for name, part in (("tiny", _tiny(kind)), ("own", form), ("inputs", inputs.clone()))
            )
            return executor.submit(grown_mb, tiny, own, batch, threads).result()

        yield measure


def grown_mb(tiny: Path, own: Path, inputs: Path, threads: int) -> float:
    """Return the megabytes by which this process's peak grows as it reads a form of a network and computes a batch.

    A tiny network computes first, so that the libraries are no part of it. The inputs are none either.
    """
    torch.set_num_threads(threads)
    x = torch.load(inputs)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its CSR tensors a beta feature
        first = _forward(tiny, threads)
        first(EXAMPLE)
        before = _peak_mb()
        forward = _forward(own, threads)
        for _ in range(3):
            forward(x)
        return _peak_mb() - before


def _peak_mb() -> float:
    """Return the most memory that this process has had; the system gives kilobytes, on a Mac bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


@cache
def _tiny(kind: str) -> Form:
    tiny = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 2)).eval()
    return onnx_content(tiny, EXAMPLE) if kind == "onnx" else with_sparse_rows(tiny) if kind == "csr" else tiny


def _has_rows(form: nn.Module) -> bool:
    return any(tensor.layout == torch.sparse_csr for tensor in form.buffers())


def _written(part: Form | torch.Tensor, path: Path) -> Path:
    if isinstance(part, bytes):
        path = path.with_suffix(".onnx")
        path.write_bytes(part)
    else:
        torch.save(part, path)
    return path


def _forward(path: Path, threads: int) -> Forward:
    return forward_of(str(path) if path.suffix == ".onnx" else torch.load(path, weights_only=False), threads)
