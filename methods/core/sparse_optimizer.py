"""Any method as a torch.optim.Optimizer, for a training script of your own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from methods.core.choice import Choice, plain_name
from methods.core.coverage import coverage, warn_if_mostly_dense
from methods.core.driver import Driver
from methods.core.faults import end_of_training, other_rates, start_of_training
from methods.core.group_options import group_options, with_group_options
from methods.core.optimizers import Optimizer, Sgd
from methods.core.parameter_groups import named_groups, present_rates
from methods.core.prunable import prunable_names
from methods.core.ranks import as_first_rank
from methods.core.registry import MethodError, parse
from methods.core.script_arguments import check_kinds, check_numbers, check_plan, cosine_rates, with_value
from methods.core.script_network import ScriptNetwork, check_parameters, unwrapped
from methods.core.script_probe import ScriptProbe
from methods.core.unfinished import UNFINISHED, check_unclaimed


class SparseOptimizer(torch.optim.Optimizer):
    """Trains a model, and leaves the weights of its linear, convolutional, attention and recurrent modules sparse.

    Zeros are exact after `finish()`. Parameters that require no gradient stay as they are. `coverage` says which
    parameters are pruned; a warning says so if most trained parameters stay dense without having been excluded.

    model: the model itself, not its parameters.
    method: a written form, such as "dwf[depth=3]". Training starts from the model's weights; to draw the factors of dwf
        anew, as its paper does, write "dwf[depth=3,init=truncated]".
    steps: the number of calls of `step()`.
    lr: the learning rate; torch's schedulers change it as usual. other_lr: that of biases, norms and all other
        parameters that are not made sparse, by default lr.
    strength, penalty or density: the value of the method. `penalty` is lambda. `strength` is lambda times the sum of
        the learning rates / (1 - momentum), and `rates` lists the learning rate of every step; by default it is that of
        CosineAnnealingLR(optimizer, steps). If the learning rates turn out differently, `finish()` warns.
    optimizer: methods.core.optimizers.Sgd or Adam. weight_decay: for methods without a penalty.
    probe: for methods that score training data, a function that returns the loss of the model on a new batch at each
        call. synflow takes the shape of the input from it; grasp uses its loss without a temperature.
    seed: the seed of the method's random numbers.
    include, exclude: parameters to prune as well, such as embeddings, and parameters to leave dense: names with
        wildcards, modules, classes of modules, parameters or functions (name, parameter) -> bool, or a list of them.
    groups: parts of the model with learning rates of their own, [{"params": model.head.parameters(), "lr": 0.01}]. In
        place of parameters it takes any choice as `include` does. `other_lr` of a group has by default the share of
        `lr` that it has outside. Momentum, weight decay and the rate of a strength are those of the first group.

    Create it after the model is on its device and has its type. Parameters of type bfloat16 or float16 are trained as
    float32 copies, which `state_dict` holds. Raises MethodError for a wrong method, option, value or parameter.
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
        include: Choice = None,
        exclude: Choice = None,
        groups: Sequence[Mapping[str, Any]] = (),
        rest_lr: float | None = None,
    ):
        other_lr = rest_lr if other_lr is None else other_lr  # its old name
        check_kinds(model, optimizer, probe)
        other_lr = lr if other_lr is None else other_lr
        check_numbers(steps, lr, other_lr, rates, weight_decay, seed)
        rates = cosine_rates(lr, steps) if rates is None else list(map(float, rates))
        optimizer = optimizer or Sgd()
        self._expected = optimizer.lr_gain * sum(rates)
        given_values = {"strength": strength, "penalty": penalty, "density": density}
        self.method, value = with_value(parse(method), given_values, self._expected)
        model = unwrapped(model)
        check_parameters(model)
        check_unclaimed(model)
        names = prunable_names(model, include, exclude)
        self.net = ScriptNetwork(model, names)
        own_seed = torch.tensor(seed, device=self.net.weights.device)
        as_first_rank(own_seed, self.net.weights, self.net.other_params)
        self.coverage = coverage(model, names)
        if include is None and exclude is None:
            warn_if_mostly_dense(self.net, f"{self.method} {self.coverage}")
        named = named_groups(self.net, lr, other_lr, groups)
        self._has_parts = bool(groups)
        self._names = [names for names, _ in named]  # those in each group
        made = [{"params": [model.get_parameter(name) for name in names], "lr": rate} for names, rate in named]
        made[0]["weight_decay"] = weight_decay
        super().__init__(made, group_options(optimizer, lr))
        self._spent, self._steps, self._finished = 0.0, steps, False
        self._cut_off = ""  # the first tensor of the model, if the last loss did not depend on it
        self._written: set[str] = set()  # the parameters that the script has written to since the last step
        given = self.net.weights.clone()
        self._given: torch.Tensor | None = given  # until the first step, see load_state_dict
        script = ScriptProbe(self.net, rates, probe, int(own_seed))
        budget = steps / sum(self.method.phases_at(value))
        try:
            self._driver = Driver(self.net, self.method, [value], optimizer, weight_decay, script, budget)
            self._driver.start_phases()
        except BaseException:
            self.net.weights.copy_(given)  # a method may have pruned before it was refused
            self.net.write_out()
            self.net.release()
            raise
        for sentence in start_of_training(self.net, given, self.method):
            warnings.warn(sentence, stacklevel=2)
        self.net.write_out()
        self._left: torch.Tensor | None = self.net.weights.clone()  # until the first step, see look_for_writes
        shapes = ", ".join(f"{plain_name(layer.name)} {list(layer.shape)}" for layer in self.net.layers)
        UNFINISHED.add(self.net)
        self._plan = {"method": str(self.method), "value": value, "steps": steps, "pruned weights": shapes}

    def __repr__(self) -> str:
        return f"{super().__repr__()}\n{self.method} {self.coverage}"

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Refuse further parameters: the parameters are those of the model."""
        if hasattr(self, "_driver"):
            raise MethodError("SparseOptimizer takes no further parameter groups: it trains the model it was built on")
        super().add_param_group(param_group)

    def __getstate__(self) -> dict[str, Any]:
        """Return all attributes, so that `copy.deepcopy((model, optimizer))` gives a pair that trains alike.

        A scheduler replaces `step` by a function that calls the original optimizer, so a copy goes without it.
        """
        return {name: value for name, value in vars(self).items() if name != "step" and not name.endswith("_hooks")}

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Take the gradients off the parameters, also off those that were assigned since the last step."""
        if self._finished:
            super().zero_grad(set_to_none)
            return
        self._written |= self.net.take_in()
        self.net.clear_gradients(set_to_none)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        if self._finished:
            raise RuntimeError("step() came after finish(), which ended the training; build a new SparseOptimizer")
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._take_up()
        self.net.gather_gradients()
        self._given = self._left = None
        weights, others = self.param_groups[0], self.param_groups[min(1, len(self.param_groups) - 1)]
        present = with_group_options(self.method.optimizer, weights)
        self.method.use(present, weights["weight_decay"])
        self._driver.optimizer = with_group_options(self._driver.optimizer, others)
        if others is not weights and others["weight_decay"]:
            self.net.other_grad.add_(self.net.other_params, alpha=others["weight_decay"])
        if self._driver.steps_done + 1 == self._steps:
            self._cut_off = self.net.without_gradient()
        self._driver.step(*present_rates(self.param_groups, self._names, self.net, self._has_parts))
        self._spent += float(weights["lr"]) * present.lr_gain
        self._driver.start_phases()  # now, so that the next gradient is that of the network in its new phase
        self.net.write_out()
        return loss

    def _take_up(self) -> None:
        """Continue with the weights that a script has written to the model since the last step."""
        if self._left is not None:
            self.net.look_for_writes(self._left)
        self._written |= self.net.take_in()
        self.net.check_trained()
        if self._written:
            self._written = set()
            self._driver.method.take_up()
            for group, names in zip(self.param_groups, self._names, strict=True):
                # load_state_dict(assign=True) makes new parameters
                group["params"] = [self.net.model.get_parameter(name) for name in names]

    def finish(self) -> None:
        """Leave exact zeros in the model, whose parameters own their storage again; call it after the last step.

        Warns if the steps or learning rates differed from the plan, if a layer is empty, if next to nothing is left or,
        with a penalty, zero, and if other than the asked number of weights is left.
        """
        if self._finished:
            return
        if torch.is_inference_mode_enabled():
            raise MethodError("finish() came in torch.inference_mode(), whose weights cannot be trained again")
        with torch.no_grad():
            self.net.look_for_writes()
            self._written |= self.net.take_in()
            self._driver.method.take_up()  # a mask holds also on weights that were written through `parameter.data`
            before = int(self.net.weights.count_nonzero())
            self._driver.finish()
            said = end_of_training(self.net, self.method, before, self._driver.steps_done, self._steps)
            if self._cut_off:
                said.append(f"the last loss did not depend on {self._cut_off}; is the network constant?")
            said += other_rates(self.method, self._spent, self._expected)
            self.net.write_out()
            self.net.clear_gradients()
            self.net.release()
        self._finished = True
        UNFINISHED.discard(self.net)
        for sentence in said:
            warnings.warn(sentence, stacklevel=2)

    def state_dict(self) -> dict[str, Any]:
        """Return tensors, numbers and strings; save the model's own state_dict with it."""
        own = {"driver": self._driver.state_dict(), "spent": self._spent, "exact": self.net.exact(), "plan": self._plan}
        return super().state_dict() | own

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume from a state. The model's own state is loaded before or after, or before the optimizer is built.

        Raises MethodError for a state of another method, value, number of steps or model.
        """
        check_plan(self._plan, state_dict)
        own = ("driver", "spent", "exact", "plan")
        super().load_state_dict({name: value for name, value in state_dict.items() if name not in own})
        if self._left is not None:
            self.net.look_for_writes(self._left)
        self._written |= self.net.take_in()
        if self._given is not None:  # undo what the method did to the weights when the optimizer was built
            self.net.put_back(self._given, self._written)
        self.net.load_exact(state_dict["exact"])
        self._driver.load_state_dict(state_dict["driver"])
        self._spent = state_dict["spent"]
        self._left = self.net.weights.clone()
