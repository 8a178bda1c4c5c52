"""Networks in the formats of other programs: torch's exported programs, ONNX, and state dicts with sparse rows."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

import torch

from benchmark.deployment.sparse_rows import with_sparse_rows
from benchmark.deployment.two_of_four import with_two_of_four
from benchmark.errors import UsageError, error_text
from benchmark.records.files import replacing

# The formats, with the endings of their files.
ENDINGS = {"dense": ".pt2", "onnx": ".onnx", "torch-sparse": ".pt", "torch-2:4": ".pt"}
STATES = {"torch-sparse": with_sparse_rows, "torch-2:4": with_two_of_four}


def export(model: torch.nn.Module, example: torch.Tensor, path: Path, form: str) -> None:
    """Write a network in a format; all but the first axis of inputs are those of `example` [1, ...].

    `dense` is a program that `torch.export.load` reads; `onnx` is a model of ONNX; `torch-sparse` is the state dict of
    `with_sparse_rows(model)`, in which linear layers and convolutions have CSR weights, for `torch.load`; `torch-2:4`
    is that of `with_two_of_four(model)`. A file is written whole or not at all. Raises UsageError for a network that
    the format cannot express, where a package or hardware that it needs is missing, and if the file cannot be written.
    """
    content = io.BytesIO()
    if form in STATES:
        torch.save(STATES[form](model).state_dict(), content)
    elif form == "onnx":
        content.write(onnx_content(model, example))
    else:
        with _quiet():
            torch.export.save(_program(model, example), content)
    try:
        with replacing(path) as file:
            file.write(content.getvalue())
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); name another file with --output") from None


def onnx_content(model: torch.nn.Module, example: torch.Tensor) -> bytes:
    """Return the content of a network's file of ONNX; raise UsageError as `export` does."""
    return bytes(onnx_program(model, example).model_proto.SerializeToString())


def onnx_program(model: torch.nn.Module, example: torch.Tensor) -> Any:
    """Return a network as a program of ONNX whose batch may have any size; raise UsageError as `export` does."""
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ModuleNotFoundError as missing:
        raise UsageError(f"--format onnx needs {missing.name}: pip install 'sparsefront[onnx]'") from None
    program = _program(model, example)
    with _quiet():
        try:
            return torch.onnx.export(program, dynamo=True, verbose=False)
        except Exception as error:
            reason = error_text(error.__cause__ or error)
            raise UsageError(f"ONNX cannot express the network ({reason}); export it with --format dense") from None


def _program(model: torch.nn.Module, example: torch.Tensor) -> torch.export.ExportedProgram:
    """Return the exported program of a model in evaluation mode; raise UsageError if torch cannot trace it."""
    batch = torch.cat([example, example])  # a batch of 1 would be traced as one that is always 1
    with _quiet():
        try:
            shapes = torch.export.ShapesCollection()  # finds the input also in a forward pass of *args
            shapes[batch] = {0: torch.export.Dim.AUTO}
            program = torch.export.export(model.eval(), (batch,), dynamic_shapes=shapes)
        except Exception as error:
            reason = error_text(error)
            raise UsageError(
                f"torch.export cannot trace the network ({reason}); --format torch-sparse needs no trace"
            ) from None
    if not program.range_constraints:  # no size is free
        raise UsageError(
            "the network's code gives the size of a batch as a number, or branches on it; put x.size(0) or -1 in its "
            "place, or choose --format torch-sparse, which needs no trace"
        )
    return program


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep from the user what torch's exporters warn of, log and print; errors have their reason."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
