"""Any method as a torch.optim.Optimizer, for a training script of one's own."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch

from methods.core.network import Network, hessian_gradient, twice_differentiable
from methods.core.optimizers import Optimizer, Sgd
from methods.core.probe import no_trace
from methods.core.registry import MethodError, parse


class SparseOptimizer(torch.optim.Optimizer):
    """Trains all parameters of a plain model, and leaves its linear and convolutional weights sparse after `finish()`.

    method: written form, as in "dwf[depth=3]".
    steps: how many times `step()` will be called.
    lr: learning rate; torch's schedulers change it as they do for any optimizer. other_lr: the same for biases, norms
        and whatever else is not made sparse, by default lr. Factors want a larger rate than dense training does, and
        biases do not bear it.
    strength, penalty or density: the method's value. `penalty` is lambda itself; `strength` is lambda times the sum of
        the learning rates / (1 - momentum), for which `rates` names the rate of every step; by default those of
        CosineAnnealingLR(optimizer, steps). Should the rates turn out otherwise, `finish()` warns.
    optimizer: methods.core.optimizers.Sgd or Adam. weight_decay: for methods without a penalty of their own.
    probe: for methods that score data, a function that returns the loss of the model on a batch, another at each call;
        from it synflow takes the shape of an input, and grasp the loss as it is, without a temperature.
    seed: of what the method draws.

    Build it when the model is on its device. Raises MethodError for a method, option or value that does not exist.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        method: str,
        *,
        steps: int,
        lr: float,
        other_lr: float | None = None,
        strength: float | None = None,
        penalty: float | None = None,
        density: float | None = None,
        rates: Sequence[float] | None = None,
        optimizer: Optimizer | None = None,
        weight_decay: float = 0.0,
        probe: Callable[[], torch.Tensor] | None = None,
        seed: int = 0,
    ):
        if steps < 1:
            raise MethodError(f"steps is a whole number >= 1, not {steps}")
        self.method = parse(method)
        rates = list(rates or (lr * (1 + math.cos(math.pi * t / steps)) / 2 for t in range(steps)))
        self.optimizer = optimizer or Sgd()
        budget = self.optimizer.lr_gain * sum(rates)
        given = {"strength": strength, "penalty": penalty, "density": density}
        named = [name for name, value in given.items() if value is not None]
        fitting = [] if self.method.knob == "none" else [self.method.knob]
        if self.method.knob == "strength" and self.method.inner is None:  # an inner method's budget is its own
            fitting.append("penalty")
        if len(named) != min(len(fitting), 1) or not set(named) <= set(fitting):
            takes = " or ".join(fitting) or "no value"
            raise MethodError(f"{self.method} takes {takes}, not {' and '.join(named) or 'nothing'}")
        value = next((float(value) for value in given.values() if value is not None), 1.0)
        self.net = Network([model])
        sparse = {id(model.get_parameter(layer.name)) for layer in self.net.layers}
        rest = [parameter for parameter in model.parameters() if id(parameter) not in sparse]
        groups = [{"params": [parameter for parameter in model.parameters() if id(parameter) in sparse], "lr": lr}]
        groups += [{"params": rest, "lr": lr if other_lr is None else other_lr}] if rest else []
        super().__init__(groups, {})
        self._value = value * budget if self.method.knob == "strength" and penalty is not None else value
        phases = self.method.phases
        self._edges = [round(steps * sum(phases[:i]) / sum(phases)) for i in range(len(phases))]
        self._steps_done, self._rates_done = 0, 0.0
        self._lr, self._other_lr = self.net.weights.new_zeros(()), self.net.weights.new_zeros(())
        self._expected = budget
        self.net.other_state = self.optimizer.state(self.net.other_params)
        self.method.bind(
            self.net, [self._value], self.optimizer, weight_decay, _ScriptProbe(self.net, rates, probe, seed)
        )
        self._begin_phases()

    def zero_grad(self, set_to_none: bool = False) -> None:
        """Zero the gradients; they are parts of one tensor and are never set to None."""
        self.net.gather_gradients()
        self.net.zero_grad()

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self.net.gather_gradients()
        lr = float(self.param_groups[0]["lr"])
        self._lr.fill_(lr)
        self.method.update(self._lr)
        self._other_lr.fill_(float(self.param_groups[-1]["lr"]))
        self.optimizer.step(self.net.other_params, self.net.other_grad, self.net.other_state, self._other_lr)
        self._steps_done += 1
        self._rates_done += lr
        self._begin_phases()
        return loss

    def _begin_phases(self) -> None:
        """Those that come now, so that the next gradient is already that of the network as they leave it."""
        for phase, start in enumerate(self._edges):
            if start == self._steps_done:
                self.method.on_phase_start(phase)

    @torch.no_grad()
    def finish(self) -> None:
        """Leave exact zeros in the model; to be called once, after the last step."""
        for phase, start in enumerate(self._edges):
            if start > self._steps_done:  # training ended early
                self.method.on_phase_start(phase)
        self.method.finish()
        spent = self.optimizer.lr_gain * self._rates_done
        if self.method.penalty is not None and not math.isclose(spent, self._expected, rel_tol=0.05):
            penalty = float(self.method.penalty[0])
            warnings.warn(
                f"the learning rates made a strength of {penalty * spent:.3g}, "
                f"where {penalty * self._expected:.3g} was planned; "
                "`rates` names the rate of every step",
                stacklevel=2,
            )

    def state_dict(self) -> dict[str, Any]:
        """Tensors, numbers and strings alone; the model's own state_dict goes beside it."""
        return super().state_dict() | {
            "method": self.method.state_dict(),
            "rest": self.net.other_state,
            "steps_done": self._steps_done,
            "rates_done": self._rates_done,
        }

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        own = {name: state_dict[name] for name in ("method", "rest", "steps_done", "rates_done")}
        super().load_state_dict({name: value for name, value in state_dict.items() if name not in own})
        self.method.load_state_dict(own["method"])
        for name, tensor in self.net.other_state.items():
            tensor.copy_(own["rest"][name])
        self._steps_done, self._rates_done = own["steps_done"], own["rates_done"]


class _ScriptProbe:
    """What a method may ask before training, answered from a script."""

    def __init__(self, net: Network, rates: list[float], loss: Callable[[], torch.Tensor] | None, seed: int):
        self.net, self.learning_rates, self.seed = net, rates, seed
        self._loss = loss

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the first input that the model sees in a call of `probe`."""
        shapes: list[tuple[int, ...]] = []
        hook = self.net.model.register_forward_pre_hook(lambda _, inputs: shapes.append(tuple(inputs[0].shape[1:])))
        try:
            with no_trace(self.net):
                self.loss()
        finally:
            hook.remove()
        return shapes[0]

    def loss(self) -> torch.Tensor:
        if self._loss is None:
            raise MethodError("this method scores data: give `probe`, a function that returns the loss on a batch")
        return self._loss()

    def generators(self) -> list[torch.Generator]:
        return [torch.Generator().manual_seed(self.seed)]

    def gradient(self, batches: int, first: int = 0) -> torch.Tensor:  # `probe` gives batches as it likes
        with no_trace(self.net):
            for _ in range(batches):
                self.loss().backward()
            return self.net.grad / batches

    def hessian_gradient(self, per_class: int, temperature: float) -> torch.Tensor:
        weights = [self.net.model.get_parameter(layer.name) for layer in self.net.layers]
        with no_trace(self.net), twice_differentiable():
            return hessian_gradient(self.loss(), weights).unsqueeze(0)
