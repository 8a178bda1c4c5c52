"""The kinds of modules whose weights are pruned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from methods.core.choice import Choice, fitting
from methods.core.lazy import torch
from methods.core.registry import MethodError


def trained_names(model: torch.nn.Module) -> list[str]:
    """Return the names of the parameters that require a gradient, in the model's order, each tensor once."""
    return [name for name, parameter in model.named_parameters() if parameter.requires_grad]


def prunable_names(model: torch.nn.Module, include: Choice = None, exclude: Choice = None) -> list[str]:
    """Return the names of the trained parameters to prune, as `trained_names` orders them.

    By default these are the weights of linear, bilinear, convolutional, attention and recurrent modules, except those
    that an embedding shares. `include` adds parameters and `exclude` removes some, see `methods.core.choice`. Single
    numbers and tensors without entries stay as they are.

    Raises MethodError for a choice that fits nothing, and for a weight that torch computes from other parameters, as
    under weight norm, unless it is excluded.
    """
    chosen, computed = set(), {}
    for path, module in model.named_modules():
        for name in weight_names(module):
            if name not in module._parameters:
                computed[f"{path}.{name}"] = module
            elif module._parameters[name] is not None:
                chosen.add(id(module._parameters[name]))
    chosen -= {id(module.weight) for module in model.modules() if isinstance(module, torch.nn.Embedding)}
    chosen |= fitting(model, include, "include")
    excluded = fitting(model, exclude, "exclude")
    for full, module in computed.items():
        path, _, name = full.rpartition(".")
        sources = [source for source in _sources(module, name) if source.requires_grad]
        if any(id(source) not in excluded for source in sources):
            raise MethodError(
                f"torch computes {full.lstrip('.')} from other parameters, so zeros in them leave none in the weight; "
                f"call {_removal(module, name)}(model.get_submodule({path!r}), {name!r}) first, or leave it dense with "
                f"exclude={path!r}"
            )
    parameters = {name: model.get_parameter(name) for name in trained_names(model)}
    wanted = chosen - excluded
    return [name for name, own in parameters.items() if id(own) in wanted and own.dim() and own.numel()]


def stacked_matrices(model: torch.nn.Module) -> dict[int, int]:
    """Return how many matrices a weight stacks along its first axis, by the weight's id, where there are several."""
    stacks: dict[int, int] = {}
    for module in model.modules():
        for name in weight_names(module):
            weight = module._parameters.get(name)
            if weight is None:
                continue
            if name == "in_proj_weight":  # queries, keys and values
                stacks[id(weight)] = 3
            elif isinstance(module, torch.nn.RNNBase | torch.nn.RNNCellBase) and "_hr" not in name:  # the gates
                stacks[id(weight)] = len(weight) // int(module.hidden_size)
    return stacks


def input_axes(model: torch.nn.Module) -> dict[int, int]:
    """Return the axis of a weight along which its inputs lie, by the weight's id, where it is not the second one."""
    nn = torch.nn
    transposed = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
    weights = (
        module.weight
        for module in model.modules()
        if isinstance(module, transposed) or (type(module).__name__ == "Conv1D" and weight_names(module))
    )
    return {id(weight): 0 for weight in weights}


def weight_names(module: torch.nn.Module) -> Sequence[str]:
    """Return the names of the weights of one module that are pruned by default, without those of its parts."""
    nn = torch.nn
    if isinstance(module, (nn.Linear, nn.Bilinear, nn.modules.conv._ConvNd)):
        return ("weight",)
    if type(module).__name__ == "Conv1D" and getattr(getattr(module, "weight", None), "ndim", 0) == 2:
        return ("weight",)  # the linear module of `transformers`
    if isinstance(module, nn.MultiheadAttention):  # its output projection is a linear module
        return ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")
    if isinstance(module, nn.RNNBase):
        return [name for names in module._all_weights for name in names if name.startswith("weight")]
    return ("weight_ih", "weight_hh") if isinstance(module, nn.RNNCellBase) else ()


def _sources(module: torch.nn.Module, name: str) -> Iterator[torch.Tensor]:
    """Yield the parameters from which torch computes a weight."""
    for source, parameter in module.named_parameters():
        if source.startswith(f"parametrizations.{name}.") or source in (f"{name}_g", f"{name}_v", f"{name}_orig"):
            yield parameter


def _removal(module: torch.nn.Module, name: str) -> str:
    """Return the call that makes a computed weight a parameter again."""
    if f"{name}_g" in module._parameters:
        return "torch.nn.utils.remove_weight_norm"
    if f"{name}_orig" in module._parameters:
        pruned = hasattr(module, f"{name}_mask")
        return f"torch.nn.utils.{'prune.remove' if pruned else 'remove_spectral_norm'}"
    return "torch.nn.utils.parametrize.remove_parametrizations"
