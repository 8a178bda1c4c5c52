"""Networks as safetensors files in which each tensor has the layout that takes the fewest bytes."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import torch

from benchmark.deployment.layouts import PARTS, rebuilt, smallest
from benchmark.errors import UsageError
from benchmark.records.files import replacing

METADATA = "sparsefront"  # the entry of the file's metadata with the layouts


def can_store() -> bool:
    """Tell whether safetensors is installed."""
    return importlib.util.find_spec("safetensors") is not None


def check_can_store() -> None:
    """Raise UsageError unless safetensors is installed."""
    if not can_store():
        raise UsageError("networks are files of safetensors: pip install safetensors")


def packed(model: torch.nn.Module) -> bytes:
    """Return the content of a network's file: parameters and buffers of `state_dict`, each tensor once.

    A tensor in a sparse layout becomes one tensor for each part, named `fc1.weight:values`. The metadata of the file
    have the layout and the shape of these, and the names that share a tensor.
    """
    from safetensors.torch import save

    tensors: dict[str, torch.Tensor] = {}
    layouts: dict[str, tuple[str, list[int]]] = {}
    shared: dict[str, str] = {}
    names: dict[int, str] = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        if not isinstance(tensor, torch.Tensor):
            raise UsageError(f"a network's file holds tensors alone, and {name} is of type {type(tensor).__name__}")
        if id(tensor) in names:
            shared[name] = names[id(tensor)]
            continue
        names[id(tensor)] = name
        layout, parts = smallest(tensor)
        tensors |= {f"{name}:{part}" if part else name: value for part, value in parts.items()}
        if layout != "dense":
            layouts[name] = layout, list(tensor.shape)
    metadata = {"layouts": layouts, "shared": shared}
    return bytes(save(tensors, {METADATA: json.dumps(metadata, separators=(",", ":"))}))


def save_network(model: torch.nn.Module, path: str | Path) -> int:
    """Write a network to a safetensors file, each tensor dense, as bitmask or as CSR, and return the file's bytes.

    Call it after `finish()`, when pruned weights are zeros. `load_network` reads the file. An existing file is replaced
    whole. Raises UsageError without safetensors, for a state that is no tensor, and if the file cannot be written.
    """
    check_can_store()
    content = packed(model)
    try:
        with replacing(Path(path)) as file:
            file.write(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); name a file in a folder that can") from None
    return len(content)


def load_network(path: str | Path, model: torch.nn.Module) -> torch.nn.Module:
    """Give a plain model of the same architecture the parameters and buffers of a file, and return it.

    Files of safetensors with dense tensors alone are read as well. Raises UsageError for a file that is no network's,
    or another network's; the model is then as it was.
    """
    check_can_store()
    state = _state(Path(path))
    wanted = model.state_dict()
    faults = {
        "the file has no": [name for name in wanted if name not in state],
        "the model has no": [name for name in state if name not in wanted],
        "other shapes in": [name for name in wanted if name in state and state[name].shape != wanted[name].shape],
    }
    if said := "; ".join(f"{fault} {', '.join(names[:3])}" for fault, names in faults.items() if names):
        raise UsageError(f"{path} holds another network than the model ({said}); give a model like the saved one")
    model.load_state_dict(state)
    return model


def _state(path: Path) -> dict[str, torch.Tensor]:
    """Return the dense tensors of a file by name."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {}).get(METADATA, '{"layouts": {}, "shared": {}}'))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (it is no dict)
        for name, (layout, shape) in metadata["layouts"].items():
            parts = {part: tensors.pop(f"{name}:{part}") for part in PARTS[layout]}
            tensors[name] = rebuilt(layout, parts, shape)
        return tensors | {name: tensors[source] for name, source in metadata["shared"].items()}
    except FileNotFoundError:
        raise UsageError(
            f"there is no network's file {path}; save_network and `run --keep-networks` write one"
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror or error}); save_network writes a file") from None
    except (SafetensorError, LookupError, RuntimeError, TypeError, ValueError):
        raise UsageError(f"{path} is damaged or no network's file; save_network writes one") from None
