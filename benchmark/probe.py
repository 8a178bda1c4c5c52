"""What a method may ask of the suite before it trains. It sees training data alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from benchmark.data import Read, Split
from benchmark.metrics import cross_entropy
from benchmark.seeds import generator
from methods.network import Network, hessian_gradient, twice_differentiable


class Probe:
    """Gradients on training batches, random streams and the budget of the runs that are about to start."""

    def __init__(self, net: Network, train: Read, batch_size: int, seed: int, learning_rates: list[float]):
        self.net, self.train, self.batch_size, self.seed = net, train, batch_size, seed
        self.learning_rates = learning_rates
        self.shape = tuple(train[0].shape[1:])

    def generators(self) -> list[torch.Generator]:
        """Fresh CPU generators, one a run, that depend on the run's seed alone."""
        return [generator(self.seed, "method") for _ in range(self.net.runs)]

    def gradient(self, batches: int) -> torch.Tensor:
        """Mean gradient [R, N] of the loss at the present weights over training batches of their own order.

        Batch norm sees the batches as in training; its running statistics are put back.
        """
        with self._training():
            for x, y in self._batches(batches):
                cross_entropy(self.net.forward(x), y).mean(1).sum().backward()
            return self.net.grad / batches

    def hessian_gradient(self, per_class: int, temperature: float) -> torch.Tensor:
        """Hessian times gradient, H g [R, N], of the loss over `per_class` training examples of each class.

        Logits are divided by the temperature first. Batch norm as in `gradient`.
        """
        inputs, labels = self.train
        order = torch.randperm(len(labels), generator=generator(self.seed, "probe")).to(labels.device)
        chosen = torch.cat([order[labels[order] == label][:per_class] for label in labels.unique()])
        x, y = inputs[chosen], labels[chosen]
        products = []
        with self._training(), twice_differentiable():
            for run in range(self.net.runs):
                model = self.net.plain(run)
                loss = cross_entropy(model(x).unsqueeze(0) / temperature, y).mean()
                products.append(hessian_gradient(loss, [model.get_parameter(layer.name) for layer in self.net.layers]))
        return torch.stack(products)

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

    def _batches(self, count: int) -> Iterator[Split]:
        inputs, labels = self.train
        order = torch.randperm(len(labels), generator=generator(self.seed, "probe")).to(labels.device)
        for start in range(0, count * self.batch_size, self.batch_size):
            # Round and round, should more batches be asked for than there are.
            chosen = order[torch.arange(start, start + self.batch_size, device=order.device) % len(order)]
            yield inputs[chosen], labels[chosen]
