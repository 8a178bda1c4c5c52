"""The probe that the training loop gives to methods. It reads training data only."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from benchmark.data.objective import Objective, check_classes
from benchmark.data.seeds import Seeds, generator
from benchmark.data.split import Split
from benchmark.training.evaluation import CLASSIFICATION
from methods.core.inputs import squared_inputs
from methods.core.network import Network, flat_gradient, hessian_gradient, twice_differentiable
from methods.core.probe import Arguments, no_trace


class Probe:
    """Gradients on training batches, random streams and the budget of R runs before their training."""

    def __init__(
        self,
        net: Network,
        train: Split,
        batch_size: int,
        seeds: list[int],
        learning_rates: torch.Tensor,
        objective: Objective = CLASSIFICATION,
    ):
        self.net, self.train, self.batch_size, self.seeds = net, train, batch_size, seeds
        self.learning_rates, self.objective = learning_rates, objective

    def check_data(self) -> None:
        """Return, as a task has training data."""

    def ones(self) -> Arguments:
        """Return the arguments of a forward pass of one input of ones, or of the first one if inputs are tokens."""
        first = self.train[0][:1]
        return (torch.ones_like(first) if first.is_floating_point() else first,), {}

    def generators(self) -> list[torch.Generator]:
        """Return new CPU generators, one for each run, that depend only on the run's seed."""
        return [generator(seed, "method") for seed in self.seeds]

    def gradient(self, batches: int, first: int = 0, training: bool = True) -> torch.Tensor:
        """Return the mean gradient [R, N] of the loss at the present weights over `batches` training batches.

        They are the batches from number `first` on, in an order that only the probe uses. Batch norm is in training
        mode, or in evaluation mode if `training` is False; its running statistics are restored.
        """
        inputs, labels = self.train
        with no_trace(self.net, training):
            seeds = Seeds(self.seeds, labels.device)
            orders = [self._order(stream) for stream in seeds.generators("probe")]
            for batch in range(first, first + batches):
                place = torch.arange(batch * self.batch_size, (batch + 1) * self.batch_size, device=labels.device)
                place %= len(labels)  # starts again at the first batch if there are too few
                x, y = (seeds.spread([part[order[place]] for order in orders]) for part in (inputs, labels))
                self.objective.losses(self.net.forward(x, seeds.per_run), y).mean(1).sum().backward()
            return self.net.grad / batches

    def input_norms(self, batches: int) -> torch.Tensor:
        """Return for each weight [R, N] the norm of the inputs that it multiplies, over training batches."""
        inputs, norms = self.train[0], []
        with no_trace(self.net, training=False), torch.no_grad():
            for run in range(self.net.runs):
                model, order = self.net.plain(run), self._order(generator(self.seeds[run], "probe"))
                with squared_inputs(model, self.net.layers) as squares:
                    for batch in order[: batches * self.batch_size].split(self.batch_size):
                        model(inputs[batch])
                norms.append(squares.sqrt())
        return torch.stack(norms)

    def example_gradients(self, run: int, count: int) -> Iterator[torch.Tensor]:
        """Yield the gradients [N] of one run's loss on `count` single training examples, in evaluation mode."""
        inputs, labels = self.train
        with no_trace(self.net, training=False):
            model, order = self.net.plain(run), self._order(generator(self.seeds[run], "probe"))
            weights = [model.get_parameter(layer.name) for layer in self.net.layers]
            for example in order[:count].split(1):
                yield flat_gradient(
                    self.objective.losses(model(inputs[example]).unsqueeze(0), labels[example]).sum(), weights
                )

    def hessian_gradient(self, per_class: int, temperature: float) -> torch.Tensor:
        """Return Hessian times gradient, H g [R, N], of the loss over `per_class` training examples of each class.

        Logits are divided by the temperature first. Batch norm is in training mode. Raises MethodError for a task
        whose examples have no classes.
        """
        check_classes("a score by the Hessian", self.objective)
        with no_trace(self.net), twice_differentiable():
            return torch.stack([self._hessian_gradient(run, per_class, temperature) for run in range(self.net.runs)])

    def _hessian_gradient(self, run: int, per_class: int, temperature: float) -> torch.Tensor:
        """Return H g [N] of one run, computed in batches, so that many classes of large images fit in memory."""
        inputs, labels = self.train
        model, order = self.net.plain(run), self._order(generator(self.seeds[run], "probe"))
        weights = [model.get_parameter(layer.name) for layer in self.net.layers]
        chosen = torch.cat([order[labels[order] == label][:per_class] for label in labels.unique()])
        count = -(-len(chosen) // self.batch_size)
        batches = [chosen[start::count] for start in range(count)]  # each with all classes

        def loss(batch: torch.Tensor) -> torch.Tensor:
            logits = model(inputs[batch]).unsqueeze(0) / temperature
            return self.objective.losses(logits, labels[batch]).sum() / len(chosen)

        gradient, product = torch.zeros_like(self.net.weights[run]), torch.zeros_like(self.net.weights[run])
        for batch in batches if count > 1 else ():
            gradient += flat_gradient(loss(batch), weights)
        for batch in batches:
            product += hessian_gradient(loss(batch), weights, gradient if count > 1 else None)
        return product

    def _order(self, stream: torch.Generator) -> torch.Tensor:
        labels = self.train[1]
        return torch.randperm(len(labels), generator=stream).to(labels.device)
