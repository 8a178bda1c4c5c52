"""R networks of one architecture, with all prunable weights in one tensor [R, N]."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from methods.core.lazy import torch
from methods.core.prunable import input_axes, prunable_names, stacked_matrices, trained_names
from methods.core.registry import MethodError


@dataclass(frozen=True)
class Layer:
    """A prunable parameter: its name and shape, and its span in the last axis of `Network.weights`.

    stack: the number of matrices along its first axis, such as those of queries, keys and values in one tensor.
    input_axis: the axis of the shape along which the layer's inputs lie.
    """

    name: str
    shape: tuple[int, ...]
    start: int
    stop: int
    stack: int = 1
    input_axis: int = 1

    @property
    def size(self) -> int:
        return self.stop - self.start

    @property
    def output_axis(self) -> int:
        """The axis of the shape along which the layer's outputs lie."""
        return 1 if self.input_axis == 0 and len(self.shape) > 1 else 0

    @property
    def span(self) -> slice:
        return slice(self.start, self.stop)


class Network:
    """R models as flat tensors, which training steps and methods write in place.

    weights, grad: [R, N], the prunable weights and their dense gradient.
    other_params, other_grad: [R, M], all other trained parameters (biases, norms), which are never pruned or penalized;
        other_state is the state of their optimizer.
    layers: the spans of the prunable parameters in the last axis.

    Parameters that require no gradient stay as they are.
    """

    def __init__(self, models: Sequence[torch.nn.Module], names: list[str] | None = None):
        """Make the parameters of R models of one architecture, all on one device, views of the flat tensors.

        `names` are the parameters to prune, by default `prunable_names`. Raises MethodError if there are none.
        """
        self.model = models[0]
        self.runs = len(models)
        names = prunable_names(self.model) if names is None else names
        if not names:
            raise MethodError(
                "the model has no weight to prune: no linear, convolutional, attention or recurrent module has one "
                "that requires a gradient and is not excluded"
            )
        others = [name for name in trained_names(self.model) if name not in set(names)]
        self.weights, self.grad, self.layers = self._flatten(models, names)
        self.other_params, self.other_grad, self.other_layers = self._flatten(models, others)
        self.other_state: dict[str, torch.Tensor] = {}
        self._buffers: dict[str, torch.Tensor] = {}
        self._frozen: dict[str, torch.Tensor] = {}
        if self.runs > 1:
            constants = [name for name, parameter in self.model.named_parameters() if not parameter.requires_grad]
            self._frozen = {
                name: torch.stack([model.get_parameter(name).detach() for model in models]) for name in constants
            }
            stacks = [dict(model.named_buffers()) for model in models]
            self._buffers = {name: torch.stack([stack[name] for stack in stacks]) for name in stacks[0]}

    def _flatten(
        self, models: Sequence[torch.nn.Module], names: list[str]
    ) -> tuple[torch.Tensor, torch.Tensor, list[Layer]]:
        rows, layers, start = [], [], 0
        stacks, axes = stacked_matrices(self.model), input_axes(self.model)
        dtype = self._flat_type([self.model.get_parameter(name) for name in names])
        for model in models:
            parameters = dict(model.named_parameters())
            empty = torch.empty(0, dtype=dtype, device=next(iter(parameters.values())).device)
            rows.append(torch.cat([empty] + [parameters[name].detach().flatten().to(dtype) for name in names]))
        flat = torch.stack(rows)
        grad = torch.zeros_like(flat)
        for name in names:
            parameter = self.model.get_parameter(name)
            stop, stack = start + parameter.numel(), stacks.get(id(parameter), 1)
            layer = Layer(name, tuple(parameter.shape), start, stop, stack, axes.get(id(parameter), 1))
            layers.append(layer)
            start = layer.stop
            if self.runs == 1:
                places = (part[0, layer.span].view(layer.shape) for part in (flat, grad))
                self._share(name, parameter, *places)
        return flat, grad, layers

    def _flat_type(self, parameters: Sequence[torch.nn.Parameter]) -> torch.dtype:
        """Return the type of a flat tensor, which the suite's networks have; mixed precision is autocast's."""
        types = {parameter.dtype for parameter in parameters} or {torch.float32}
        if len(types) > 1 or not types <= {torch.float32, torch.float64}:
            named = ", ".join(sorted(map(str, types)))
            raise MethodError(f"a network of a task has parameters of one type, float32, not {named}; see --precision")
        return types.pop()

    def _share(self, name: str, parameter: torch.nn.Parameter, place: torch.Tensor, grad: torch.Tensor) -> None:
        """Make a parameter of a single model a view, to whose flat gradient the backward pass adds."""
        parameter.data, parameter.grad = place, grad

    def forward(self, x: torch.Tensor, per_run: bool = False) -> torch.Tensor:
        """Return the logits [R, B, C] of a batch x [B, ...] that all runs share, or, if `per_run`, of x [R, B, ...].

        The backward pass adds to `grad` and `other_grad`.
        """
        if self.runs == 1:
            if x.dim() == 4:  # channels last is faster in convolutions; one channel needs explicit strides
                x = x.contiguous(memory_format=torch.channels_last)
                x = x.as_strided(x.shape, (x[0].numel(), 1, x.shape[3] * x.shape[1], x.shape[1]))
            return self.model(x).unsqueeze(0)

        def single(
            parameters: dict[str, torch.Tensor], buffers: dict[str, torch.Tensor], x: torch.Tensor
        ) -> torch.Tensor:
            return torch.func.functional_call(self.model, (parameters, buffers), (x,))

        parameters = self._stacked(self.weights, self.grad, self.layers)
        parameters |= self._stacked(self.other_params, self.other_grad, self.other_layers) | self._frozen
        in_dims = 0, 0, 0 if per_run else None
        from methods.core.autocast import packed_autocast  # imports torch, which is slow

        with packed_autocast(x.device):
            return torch.vmap(single, in_dims, randomness="same")(parameters, self._buffers, x)

    def _stacked(self, flat: torch.Tensor, grad: torch.Tensor, layers: list[Layer]) -> dict[str, torch.Tensor]:
        """Return the parameters [R, *shape] by name, as parts of one leaf whose gradient is the flat gradient."""
        leaf = flat.detach().requires_grad_()
        leaf.grad = grad
        parts = leaf.split([layer.size for layer in layers], dim=1)
        return {layer.name: part.unflatten(1, layer.shape) for layer, part in zip(layers, parts, strict=True)}

    def zero_grad(self) -> None:
        self.grad.zero_()
        self.other_grad.zero_()

    def plain(self, run: int) -> torch.nn.Module:
        """Return the model of one run: the model itself if R = 1, and otherwise a copy."""
        if self.runs == 1:
            return self.model
        model = copy.deepcopy(self.model)
        with torch.no_grad():
            for flat, layers in ((self.weights, self.layers), (self.other_params, self.other_layers)):
                for layer in layers:
                    model.get_parameter(layer.name).copy_(flat[run, layer.span].view(layer.shape))
            for name, constant in self._frozen.items():
                model.get_parameter(name).copy_(constant[run])
            for name, buffer in self._buffers.items():
                model.get_buffer(name).copy_(buffer[run])
        return model

    def named_buffers(self) -> list[tuple[str, torch.Tensor]]:
        """Return the buffers of all runs, such as running statistics, by name."""
        return list(self._buffers.items()) if self.runs > 1 else list(self.model.named_buffers())

    def buffers(self) -> list[torch.Tensor]:
        return [buffer for _, buffer in self.named_buffers()]


def twice_differentiable() -> AbstractContextManager[None]:
    """Return a context in which attention avoids fused kernels, which cannot be differentiated twice."""
    return torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)


def flat_gradient(loss: torch.Tensor, weights: Sequence[torch.Tensor], create_graph: bool = False) -> torch.Tensor:
    """Return the gradient [N] of a loss with respect to `weights`, as one flat tensor."""
    gradients = torch.autograd.grad(loss, weights, create_graph=create_graph, materialize_grads=True)
    return torch.cat([gradient.flatten() for gradient in gradients])


def hessian_gradient(
    loss: torch.Tensor, weights: Sequence[torch.Tensor], gradient: torch.Tensor | None = None
) -> torch.Tensor:
    """Return H g [N], the Hessian of a loss with respect to `weights` times the gradient, by default the loss's own.

    Raises MethodError for a network with an operation that torch differentiates only once.
    """
    with torch.enable_grad():
        own = flat_gradient(loss, weights, create_graph=True)
        try:
            return flat_gradient(own @ (own.detach() if gradient is None else gradient), weights)
        except RuntimeError as error:
            reason = str(error).partition("\n")[0]
            if "derivative for" not in reason and "does not require grad" not in reason:
                raise  # another fault, such as no memory left
            raise MethodError(
                f"torch does not differentiate the gradient of this network ({reason}); take a method that scores by "
                "the gradient alone, such as snip"
            ) from None
