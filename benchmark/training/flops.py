"""The operations of a forward pass by torch's counter, and those that zero weights save."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from methods.core.network import twice_differentiable

aten = torch.ops.aten
Shape = tuple[int, ...]
FACTORS = {aten.addmm: (1, 2), aten.baddbmm: (1, 2), aten.addmv: (1, 2)}  # argument 0 is added; of others, 0 and 1


def _matrix_vector(matrix: Shape, vector: Shape, **_: Any) -> int:
    return 2 * matrix[0] * matrix[1]


def _added_matrix_vector(added: Shape, matrix: Shape, vector: Shape, **_: Any) -> int:
    return 2 * matrix[0] * matrix[1]


def _bilinear(first: Shape, weight: Shape, second: Shape, *_: Any, **__: Any) -> int:
    return 2 * first[0] * weight[0] * weight[1] * weight[2]  # every weight once for each of the inputs


# Operations that torch's counter leaves out.
MORE = {aten.mv: _matrix_vector, aten.addmv: _added_matrix_vector, aten._trilinear: _bilinear}


class Saved(TorchDispatchMode):
    """Sums, while it is a context around FlopCounterMode, the operations in which a weight is zero.

    Every entry of a factor of a product is in the same number of operations. A weight is a parameter, or a tensor that
    the model computes from parameters and buffers alone, such as one of three packed projections.
    """

    supports_higher_order_operators = True

    def __init__(self, model: torch.nn.Module, flops: dict[Any, Callable[..., int]]):
        super().__init__()
        self.operations, self._flops = 0.0, flops
        # Tensors by id. They are kept alive, so no other tensor gets the id.
        self._weights: dict[int, torch.Tensor] = {id(parameter): parameter for parameter in model.parameters()}
        self._constants = {id(buffer): buffer for buffer in model.buffers()}

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        packet: Any = getattr(function, "_overloadpacket", None)
        if packet in self._flops:
            left = 1.0
            for place in FACTORS.get(packet, (0, 1)):
                if id(args[place]) in self._weights:
                    left *= int(args[place].count_nonzero()) / args[place].numel()
            self.operations += (1 - left) * self._flops[packet](*args, **kwargs, out_val=result)
        self._follow(packet, tree_leaves((args, kwargs)), tree_leaves(result))
        return result

    def _follow(self, packet: Any, given: list[Any], made: list[Any]) -> None:
        """Note that tensors are weights, if they are made of weights and buffers alone."""
        sources = {id(leaf) for leaf in given if isinstance(leaf, torch.Tensor)}
        name = str(packet).partition(".")[2]
        filled = name.startswith("new_") or name.endswith("_like")  # they take only the type and shape of a tensor
        known = sources <= self._weights.keys() | self._constants.keys()
        is_weight = known and not filled and sources & self._weights.keys()
        for leaf in made:
            if isinstance(leaf, torch.Tensor):
                self._weights.pop(id(leaf), None)
                if is_weight:
                    self._weights[id(leaf)] = leaf


@contextmanager
def plain_operations() -> Iterator[None]:
    """Compute attention and recurrent modules by operations that torch's counter knows, not by fused kernels."""
    attention = torch.backends.mha
    mkldnn: Any = torch.backends.mkldnn
    before = attention.get_fastpath_enabled(), mkldnn.enabled
    attention.set_fastpath_enabled(False)
    mkldnn.enabled = False
    try:
        with torch.backends.cudnn.flags(enabled=False), twice_differentiable():
            yield
    finally:
        attention.set_fastpath_enabled(before[0])
        mkldnn.enabled = before[1]


def count(model: torch.nn.Module, example: torch.Tensor) -> tuple[int, float]:
    """Return the operations of a forward pass, two for a multiply-add, and the part that zero weights save."""
    counter = FlopCounterMode(display=False, custom_mapping=MORE)
    with torch.no_grad(), plain_operations(), Saved(model, counter.flop_registry) as saved, counter:
        model(example)
    return counter.get_total_flops(), saved.operations
