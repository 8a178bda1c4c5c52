"""Any method as a torch.optim.Optimizer, for a training script of your own."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch

from methods.core.base import Method
from methods.core.coverage import coverage
from methods.core.driver import Driver
from methods.core.network import Network, hessian_gradient, twice_differentiable
from methods.core.optimizers import Optimizer, Sgd
from methods.core.probe import no_trace
from methods.core.registry import MethodError, read_form
from methods.core.wrapper import Wrapper


class SparseOptimizer(torch.optim.Optimizer):
    """Trains a model, and leaves its linear and convolutional weights sparse after `finish()`.

    Parameters that require no gradient stay as they are. `coverage` says which parameters are pruned.

    model: the model itself, not its parameters.
    method: a written form, such as "dwf[depth=3]". Training starts from the model's weights; to draw the factors of dwf
        anew, as the suite does, write "dwf[depth=3,init=truncated]".
    steps: the number of calls of `step()`.
    lr: the learning rate; torch's schedulers change it as usual. other_lr: that of biases, norms and all other
        parameters that are not made sparse, by default lr. Factors need a larger learning rate than dense weights, at
        which biases diverge.
    strength, penalty or density: the value of the method. `penalty` is lambda. `strength` is lambda times the sum of
        the learning rates / (1 - momentum), and `rates` lists the learning rate of every step; by default it is that of
        CosineAnnealingLR(optimizer, steps). If the learning rates turn out differently, `finish()` warns.
    optimizer: methods.core.optimizers.Sgd or Adam. weight_decay: for methods without a penalty.
    probe: for methods that score training data, a function that returns the loss of the model on a new batch at each
        call. synflow takes the shape of the input from it; grasp uses its loss without a temperature.
    seed: the seed of the method's random numbers.

    Create it after the model is on its device. Raises MethodError for a wrong method, option or value.
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
        if not isinstance(model, torch.nn.Module):
            raise MethodError(f"SparseOptimizer takes the model itself, not {_called(model)}")
        if steps < 1:
            raise MethodError(f"steps is a whole number >= 1, not {steps}")
        self.method = _parse(method)
        value = _value(self.method, {"strength": strength, "penalty": penalty, "density": density})
        rates = list(rates or (lr * (1 + math.cos(math.pi * t / steps)) / 2 for t in range(steps)))
        optimizer = optimizer or Sgd()
        self._expected = optimizer.lr_gain * sum(rates)
        if self.method.knob == "strength" and penalty is not None:
            value *= self._expected
        self.net = Network([model])
        self.coverage = coverage(model)
        super().__init__(_groups(model, self.net, lr, lr if other_lr is None else other_lr), {})
        self._rates_done = 0.0
        script = _ScriptProbe(self.net, rates, probe, seed)
        budget = steps / sum(self.method.phases)
        self._driver = Driver(self.net, self.method, [value], optimizer, weight_decay, script, budget)
        self._driver.start_phases()

    def zero_grad(self, set_to_none: bool = False) -> None:
        """Set the gradients to zero; they are parts of one tensor, so they never become None."""
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
        self._driver.step(lr, float(self.param_groups[-1]["lr"]))
        self._rates_done += lr
        self._driver.start_phases()  # now, so that the next gradient is that of the network in its new phase
        return loss

    @torch.no_grad()
    def finish(self) -> None:
        """Leave exact zeros in the model; call it once, after the last step."""
        self._driver.finish()
        spent = self._driver.optimizer.lr_gain * self._rates_done
        if self.method.penalty is not None and not math.isclose(spent, self._expected, rel_tol=0.05):
            penalty = float(self.method.penalty[0])
            warnings.warn(
                f"the learning rates gave a strength of {penalty * spent:.3g}, but "
                f"{penalty * self._expected:.3g} was planned; give the learning rate of every step as `rates`",
                stacklevel=2,
            )

    def state_dict(self) -> dict[str, Any]:
        """Return tensors, numbers and strings; save the model's own state_dict with it."""
        return super().state_dict() | {"driver": self._driver.state_dict(), "rates_done": self._rates_done}

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        own = ("driver", "rates_done")
        super().load_state_dict({name: value for name, value in state_dict.items() if name not in own})
        self._driver.load_state_dict(state_dict["driver"])
        self._rates_done = state_dict["rates_done"]


def _called(given: object) -> str:
    """Return how a message calls an object that should have been a model."""
    return f"an object of type {type(given).__name__}; write SparseOptimizer(model, ...), not model.parameters()"


def _parse(text: str) -> Method:
    """Return the method that a written form names; options that it leaves out have their defaults for scripts."""
    cls, options = read_form(text)
    if issubclass(cls, Wrapper):
        options["mask"] = str(_parse(options.get("mask", cls.mask)))
    return cls(**(cls.script_options | options))


def _value(method: Method, given: dict[str, float | None]) -> float:
    """Return the value that was given under a name that fits the method; a method without a knob has the value 1."""
    fitting = [] if method.knob == "none" else [method.knob]
    if method.knob == "strength" and method.inner is None:  # an inner method has a budget of its own
        fitting.append("penalty")
    named = {name: float(value) for name, value in given.items() if value is not None}
    if len(named) != min(len(fitting), 1) or not set(named) <= set(fitting):
        takes = " or ".join(fitting) or "no value"
        raise MethodError(f"{method} takes {takes}, not {' and '.join(named) or 'nothing'}")
    return next(iter(named.values()), 1.0)


def _groups(model: torch.nn.Module, net: Network, lr: float, other_lr: float) -> list[dict[str, Any]]:
    """Return the parameter groups: the prunable weights first, then all other parameters, if there are any."""
    prunable = {id(model.get_parameter(layer.name)) for layer in net.layers}
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    others = [parameter for parameter in trained if id(parameter) not in prunable]
    groups = [{"params": [parameter for parameter in trained if id(parameter) in prunable], "lr": lr}]
    return groups + ([{"params": others, "lr": other_lr}] if others else [])


class _ScriptProbe:
    """The probe that a training script gives to a method, by a function that returns the loss on a batch."""

    def __init__(self, net: Network, rates: list[float], loss: Callable[[], torch.Tensor] | None, seed: int):
        self.net, self.learning_rates, self.seed = net, rates, seed
        self._loss = loss

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the first input that the model gets in a call of `probe`."""
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

    def gradient(self, batches: int, first: int = 0) -> torch.Tensor:
        """Return the mean gradient over `batches` calls of `probe`, which chooses the batches; `first` is ignored."""
        with no_trace(self.net):
            for _ in range(batches):
                self.loss().backward()
            return self.net.grad / batches

    def hessian_gradient(self, per_class: int, temperature: float) -> torch.Tensor:
        """Return Hessian times gradient on one call of `probe`; `per_class` and `temperature` are ignored."""
        weights = [self.net.model.get_parameter(layer.name) for layer in self.net.layers]
        with no_trace(self.net), twice_differentiable():
            return hessian_gradient(self.loss(), weights).unsqueeze(0)
