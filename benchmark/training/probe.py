"""What a method may ask of the suite before it trains. It sees training data alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from benchmark.data.seeds import Seeds, generator
from benchmark.data.split import Read
from benchmark.training.evaluation import cross_entropy
from methods.core.network import Network, flat_gradient, hessian_gradient, twice_differentiable


class Probe:
    """Gradients on training batches, random streams and the budget of the runs that are about to start."""

    def __init__(self, net: Network, train: Read, batch_size: int, seeds: list[int], learning_rates: list[float]):
        self.net, self.train, self.batch_size, self.seeds = net, train, batch_size, seeds
        self.learning_rates = learning_rates
        self.shape = tuple(train[0].shape[1:])

    def generators(self) -> list[torch.Generator]:
        """Fresh CPU generators, one a run, that depend on the run's seed alone."""
        return [generator(seed, "method") for seed in self.seeds]

    def gradient(self, batches: int, first: int = 0) -> torch.Tensor:
        """Mean gradient [R, N] of the loss at the present weights over training batches from the `first` of them on.

        They have an order of their own. Batch norm sees them as in training; its running statistics are put back.
        """
        inputs, labels = self.train
        with self._training():
            seeds = Seeds(self.seeds, labels.device)
            orders = [self._order(stream) for stream in seeds.generators("probe")]
            for batch in range(first, first + batches):
                place = torch.arange(batch * self.batch_size, (batch + 1) * self.batch_size, device=labels.device)
                place %= len(labels)  # round and round, should more batches be asked for than there are
                x, y = (seeds.spread([part[order[place]] for order in orders]) for part in (inputs, labels))
                cross_entropy(self.net.forward(x, seeds.per_run), y).mean(1).sum().backward()
            return self.net.grad / batches

    def hessian_gradient(self, per_class: int, temperature: float) -> torch.Tensor:
        """Hessian times gradient, H g [R, N], of the loss over `per_class` training examples of each class.

        Logits are divided by the temperature first. Batch norm as in `gradient`.
        """
        with self._training(), twice_differentiable():
            return torch.stack([self._hessian_gradient(run, per_class, temperature) for run in range(self.net.runs)])

    def _hessian_gradient(self, run: int, per_class: int, temperature: float) -> torch.Tensor:
        """H g [N] of one run, batch by batch, so that memory holds many classes of large images."""
        inputs, labels = self.train
        model, order = self.net.plain(run), self._order(generator(self.seeds[run], "probe"))
        weights = [model.get_parameter(layer.name) for layer in self.net.layers]
        chosen = torch.cat([order[labels[order] == label][:per_class] for label in labels.unique()])
        count = -(-len(chosen) // self.batch_size)
        batches = [chosen[start::count] for start in range(count)]  # of all classes each

        def loss(batch: torch.Tensor) -> torch.Tensor:
            logits = model(inputs[batch]).unsqueeze(0) / temperature
            return cross_entropy(logits, labels[batch]).sum() / len(chosen)

        gradient, product = torch.zeros_like(self.net.weights[run]), torch.zeros_like(self.net.weights[run])
        for batch in batches if count > 1 else ():
            gradient += flat_gradient(loss(batch), weights)
        for batch in batches:
            product += hessian_gradient(loss(batch), weights, gradient if count > 1 else None)
        return product

    @contextmanager
    def _training(self) -> Iterator[None]:
        """In training mode, with no gradients before or after, and with buffers put back."""
        before = [buffer.clone() for buffer in self.net.buffers()]
        self.net.model.train()
        self.net.zero_grad()
        yield
        self.net.zero_grad()
        for buffer, value in zip(self.net.buffers(), before, strict=True):
            buffer.copy_(value)

    def _order(self, stream: torch.Generator) -> torch.Tensor:
        labels = self.train[1]
        return torch.randperm(len(labels), generator=stream).to(labels.device)
