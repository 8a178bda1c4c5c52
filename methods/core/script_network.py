"""The model of a training script as a network: the script may write to its parameters and replace their gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from methods.core.choice import plain_name
from methods.core.lazy import torch
from methods.core.network import Layer, Network
from methods.core.prunable import trained_names
from methods.core.registry import MethodError

TYPES = ("float16", "bfloat16", "float32", "float64")


def check_parameters(model: torch.nn.Module) -> None:
    """Raise MethodError if a trained parameter has no values or memory of its own, or cannot be trained."""
    if isinstance(model, torch.jit.ScriptModule):
        raise MethodError("the model is a TorchScript module; build the optimizer on the module that it was made of")
    first: torch.nn.Parameter | None = None
    places: dict[int, str] = {}
    for name, parameter in model.named_parameters():
        if torch.nn.parameter.is_lazy(parameter) or parameter.is_meta:
            raise MethodError(f"{name} has no values yet; run a batch through the model before you build the optimizer")
        if hasattr(parameter, "device_mesh"):  # a DTensor
            raise MethodError(
                f"{name} is divided among processes (FSDP or tensor parallelism), which no method supports"
            )
        if parameter.is_inference() or torch.is_inference_mode_enabled():
            raise MethodError(f"{name} cannot be trained: make the model and the optimizer outside of inference_mode")
        if not parameter.requires_grad:
            continue
        first = parameter if first is None else first
        if str(parameter.dtype).removeprefix("torch.") not in TYPES:
            raise MethodError(f"{name} is {parameter.dtype}; trained parameters are of type {', '.join(TYPES)}")
        if parameter.device != first.device:
            raise MethodError(f"{name} is on {parameter.device}, others on {first.device}; all must be on one device")
        if parameter.numel() and (other := places.setdefault(parameter.data_ptr(), name)) != name:
            raise MethodError(
                f"{other} and {name} are two parameters in one piece of memory, which would be trained apart; tie them "
                "by assigning the parameter itself, as in model.decoder.weight = model.encoder.weight"
            )


def unwrapped(model: torch.nn.Module) -> torch.nn.Module:
    """Return the model inside torch's wrappers for several devices or processes, which may be compiled."""
    wrapper = getattr(model, "_orig_mod", model)
    parallel = torch.nn.parallel.DistributedDataParallel | torch.nn.DataParallel
    return unwrapped(wrapper.module) if isinstance(wrapper, parallel) else model


class ScriptNetwork(Network):
    """A single model whose parameters a script may write, assign and convert, and whose gradients it may replace.

    Parameters of the flat tensors' type are views of these. All others, such as bfloat16, are copies: the flat tensors
    hold them in float32 (float64 if a parameter of their tensor is float64), and `write_out` rounds them to the model.
    The parameters' gradients are the script's own, as under torch's optimizers; `gather_gradients` copies them.
    """

    def __init__(self, model: torch.nn.Module, names: list[str]):
        check_parameters(model)
        self._types: dict[str, torch.dtype] = {}  # the type of each copy
        super().__init__([model], names)
        self._marks = {layer.name: _mark(model.get_parameter(layer.name)) for layer, _, _ in self._places()}

    def _flat_type(self, parameters: Sequence[torch.nn.Parameter]) -> torch.dtype:
        double = any(parameter.dtype == torch.float64 for parameter in parameters)
        return torch.float64 if double else torch.float32

    def _share(self, name: str, parameter: torch.nn.Parameter, place: torch.Tensor, grad: torch.Tensor) -> None:
        if parameter.dtype == place.dtype:
            parameter.data = place
        else:
            self._types[name] = parameter.dtype

    def _places(self) -> Iterator[tuple[Layer, torch.Tensor, torch.Tensor]]:
        """Yield each layer with its parts of the flat tensors, value and gradient."""
        pairs = (self.weights, self.grad, self.layers), (self.other_params, self.other_grad, self.other_layers)
        for flat, grad, layers in pairs:
            for layer in layers:
                yield layer, flat[0, layer.span].view(layer.shape), grad[0, layer.span].view(layer.shape)

    def take_in(self) -> set[str]:
        """Take in what the script has written to the parameters, and return the names of those.

        A parameter that was assigned, as `to(memory_format=...)` and `load_state_dict(assign=True)` do, becomes a view
        of the flat tensor again. Raises RuntimeError if a parameter is gone or has another type, device or shape.
        """
        written, parameters = set(), dict(self.model.named_parameters())
        for layer, place, _ in self._places():
            name, parameter = layer.name, parameters.get(layer.name)
            kind = None if parameter is None else (parameter.dtype, parameter.device, parameter.shape)
            if parameter is None or kind != (self._types.get(name, place.dtype), place.device, place.shape):
                raise RuntimeError(
                    f"{name} is no longer the parameter that the optimizer was built on; convert, move or replace "
                    "parts of the model before you build it"
                )
            if _mark(parameter) == self._marks.get(name):
                continue
            if name in self._types:  # values that were not written keep the digits that the parameter cannot hold
                changed = parameter.detach() != place.to(parameter.dtype)
                place.copy_(torch.where(changed, parameter.detach().to(place.dtype), place))
            elif parameter.data_ptr() != place.data_ptr():
                place.copy_(parameter.detach())
                parameter.data = place
            written.add(name)
            self._marks[name] = _mark(parameter)
        return written

    def look_for_writes(self, left: torch.Tensor | None = None) -> None:
        """Let `take_in` see what was written in place through `parameter.data`, which leaves no mark.

        `left` are the prunable weights [1, N] as the optimizer left them; without it only copies are compared.
        """
        weights = {} if left is None else {layer.name: left[0, layer.span].view(layer.shape) for layer in self.layers}
        for layer, place, _ in self._places():
            name = layer.name
            if name in self._types:
                same = torch.equal(self.model.get_parameter(name), place.to(self._types[name]))
            else:
                same = torch.equal(place, weights.get(name, place))
            if not same:
                self._marks.pop(name, None)

    @torch.no_grad()
    def write_out(self) -> None:
        """Round the values of the copies to the model, after the flat tensors have changed."""
        for layer, place, _ in self._places() if self._types else ():
            if layer.name in self._types:
                parameter = self.model.get_parameter(layer.name)
                parameter.copy_(place)
                self._marks[layer.name] = _mark(parameter)

    def exact(self) -> dict[str, torch.Tensor]:
        """Return the values of the copies with the digits that the model cannot hold, for a checkpoint."""
        return {
            plain_name(layer.name): place.clone() for layer, place, _ in self._places() if layer.name in self._types
        }

    def load_exact(self, values: dict[str, torch.Tensor]) -> None:
        """Take values of the copies, until `take_in` compares them with the model's."""
        values = {plain_name(name): value for name, value in values.items()}
        for layer, place, _ in self._places():
            if plain_name(layer.name) in values:
                place.copy_(values[plain_name(layer.name)])
                self._marks.pop(layer.name, None)

    def put_back(self, weights: torch.Tensor, written: set[str]) -> None:
        """Set the prunable weights to earlier ones [1, N], except those that the script has written to."""
        for layer in self.layers:
            if layer.name not in written:
                self.weights[:, layer.span] = weights[:, layer.span]
        self.write_out()

    def without_gradient(self) -> str:
        """Return the name of the first trained tensor of the model, except vectors, if its gradient is all zero."""
        grads = {layer.name: grad for layer, _, grad in self._places() if len(layer.shape) > 1}
        first = next(name for name, _ in self.model.named_parameters() if name in grads)
        return "" if bool(grads[first].any()) else first

    def check_trained(self) -> None:
        """Raise RuntimeError if other parameters of the model are trained than when the network was built."""
        built, now = {layer.name for layer, _, _ in self._places()}, set(trained_names(self.model))
        for names, change in ((now - built, "requires a gradient now"), (built - now, "requires no gradient now")):
            if names:
                raise RuntimeError(
                    f"{min(names)} {change}, which it did not when the optimizer was built; add, freeze or unfreeze "
                    "parameters before you build it"
                )

    def clear_gradients(self, set_to_none: bool = True) -> None:
        """Take the gradients off the parameters, or set them to zero in place."""
        for layer, _, _ in self._places():
            parameter = self.model.get_parameter(layer.name)
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = parameter.grad.detach().zero_()

    def has_gradients(self) -> bool:
        """Tell whether a parameter has a gradient."""
        return any(self.model.get_parameter(layer.name).grad is not None for layer, _, _ in self._places())

    def gather_gradients(self) -> None:
        """Copy the parameters' gradients into the flat gradients; a parameter without one has zeros."""
        for layer, _, place in self._places():
            grad = self.model.get_parameter(layer.name).grad
            if grad is None:
                place.zero_()
            else:  # nn.Embedding(sparse=True) has a sparse one
                place.copy_(grad if grad.layout == torch.strided else grad.to_dense())

    def zero_grad(self) -> None:
        super().zero_grad()
        self.clear_gradients()

    def release(self) -> None:
        """Give the parameters storages of their own."""
        for layer, _, _ in self._places():
            parameter = self.model.get_parameter(layer.name)
            if layer.name not in self._types:
                parameter.data = parameter.data.clone()
        for module in self.model.modules():
            if isinstance(module, torch.nn.RNNBase):
                module.flatten_parameters()  # on CUDA: one piece of memory for each module, as cuDNN wants it


def _mark(parameter: torch.nn.Parameter) -> tuple[int, int]:
    """Return what changes when a script writes to a parameter or assigns another storage."""
    return parameter._version, parameter.data_ptr()
