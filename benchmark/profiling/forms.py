"""The forms in which a final network computes: dense, without dead units, with sparse rows, and by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import nn

from benchmark.deployment.compact import compact
from benchmark.deployment.exports import onnx_content
from benchmark.deployment.sparse_rows import with_sparse_rows
from benchmark.errors import UsageError

Form = nn.Module | bytes  # a network, or the content of a model of ONNX
Forward = Callable[[torch.Tensor], object]


def forms_of(model: nn.Module, example: torch.Tensor, say: Callable[[str], None]) -> dict[str, Form]:
    """Return all forms of a network that this machine has, by name; `say` takes a sentence for each that it lacks.

    `csr` and `onnx` are forms of the compact network, or of the dense one where no compact one can be made.
    """
    forms: dict[str, Form] = {"dense": model.eval()}

    def add(name: str, make: Callable[[], Form]) -> None:
        try:
            forms[name] = make()
        except UsageError as error:
            say(f"no form {name}: {error}")

    add("compact", lambda: compact(model, example))
    small = forms.get("compact", model)
    assert isinstance(small, nn.Module)
    add("csr", lambda: with_sparse_rows(small))
    if find_spec("onnxruntime"):
        add("onnx dense", lambda: onnx_content(model, example))
        add("onnx", lambda: onnx_content(small, example))
    else:
        say("no form onnx: it needs onnxruntime: pip install 'sparsefront[onnx]'")
    return forms


def forward_of(form: Form | str, threads: int) -> Forward:
    """Return the forward pass of a form, or of a file of ONNX; torch takes its number of threads elsewhere."""
    if isinstance(form, nn.Module):
        return form
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # it would slow the other forms' turns
    session = onnxruntime.InferenceSession(form, options)
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x.numpy()})


def runtime_of(form: Form) -> str:
    """Return the name and the version of the library that computes a form."""
    if isinstance(form, nn.Module):
        return f"torch {torch.__version__}"
    import onnxruntime

    return f"onnxruntime {onnxruntime.__version__}"
