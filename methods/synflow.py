"""Pruning at initialization by synaptic flow, without data."""

from __future__ import annotations

import copy
from dataclasses import dataclass, is_dataclass
from typing import Annotated, Any, ClassVar

from methods.core.lazy import torch
from methods.core.masked import Masked
from methods.core.masks import Distribution, check_scores
from methods.core.network import Network
from methods.core.option_types import Range
from methods.core.probe import Arguments, Probe, with_tensors
from methods.core.registry import MethodError, register


@register("synflow", knob="density")
@dataclass
class SynFlow(Masked):
    """Keep the weights with the largest synaptic flow |dR/dw * w|.

    R is the sum of the outputs for an input of ones, in the network whose weights are |w|.
    Tanaka, Kunin, Yamins & Ganguli, NeurIPS 2020. The density falls to d^(k / n) in iteration k of n = `iterations`,
    with new scores each time. They are float64, because those of deep networks overflow in float32. Without biases the
    scores of every layer have the same sum. Batch norm is in evaluation mode, with its statistics at initialization and
    |mean| for a mean, as in the authors' code; other buffers, such as masks of attention, stay.

    A script's model may take several inputs and keywords, and return dicts or tuples: floating-point inputs are ones,
    tokens are those of the first example, and R sums the logits, if they are named so, or else all outputs.
    """

    family: ClassVar[str] = "before training"
    paper: ClassVar[str] = "Tanaka, Kunin, Yamins & Ganguli, NeurIPS 2020"

    iterations: Annotated[int, Range("[1, 10000]")] = 100
    distribution: Distribution = "global"

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        ones = probe.ones()
        for k in range(1, self.iterations + 1):
            scores = torch.stack([flow(net, run, ones) for run in range(net.runs)])
            if k == 1:
                check_scores("synflow", scores)
            self.prune_to(scores, self.distribution, self.value ** (k / self.iterations))


def flow(net: Network, run: int, ones: Arguments) -> torch.Tensor:
    """Return float64 scores [N] of one run's present weights; `ones` are the arguments of the forward pass.

    A model that converts types itself may not compute in float64; it computes in its own. Raises MethodError if it
    cannot be copied or computed, or has no output to sum.
    """
    try:
        return _flow(net, run, ones, double=True)
    except Exception:
        try:
            return _flow(net, run, ones, double=False)
        except Exception as error:
            said = str(error).partition("\n")[0]
            raise MethodError(f"synflow computes a copy of the model on ones, which fails: {said}") from error


def _flow(net: Network, run: int, ones: Arguments, double: bool) -> torch.Tensor:
    device = torch.device("cpu") if net.weights.device.type == "mps" else net.weights.device  # MPS has no float64
    model = copy.deepcopy(net.plain(run)).to(device, torch.float64 if double else None).eval()
    with torch.no_grad():
        means = (buffer for name, buffer in model.named_buffers() if name.endswith("running_mean"))
        for tensor in (*model.parameters(), *means):
            tensor.abs_()
    args, kwargs = with_tensors(
        ones, lambda value: value.to(device, torch.float64 if double and value.is_floating_point() else None)
    )
    weights = [model.get_parameter(layer.name) for layer in net.layers]
    with torch.enable_grad():
        outputs = _outputs(model(*args, **kwargs))
        if not outputs:
            raise MethodError(
                "synflow sums the outputs of the model, which are no tensors, nor dicts or tuples of them"
            )
        total = torch.stack([output.sum(dtype=torch.float64) for output in outputs]).sum()
        gradients = torch.autograd.grad(total, weights, materialize_grads=True)
    return torch.cat([(w.detach().double() * g).flatten() for w, g in zip(weights, gradients, strict=True)])


def _outputs(value: Any) -> list[torch.Tensor]:
    """Return the floating-point tensors that a model gives: the logits, if named so, or all except single numbers."""
    if isinstance(value, torch.Tensor):
        return [value] if value.is_floating_point() and value.dim() else []
    named = value if isinstance(value, dict) else vars(value) if is_dataclass(value) else {}
    if named.get("logits") is not None:
        return _outputs(named["logits"])
    parts = named.values() if named else value if isinstance(value, list | tuple) else ()
    return [output for part in parts for output in _outputs(part)]
