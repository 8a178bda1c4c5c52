"""What a method may ask of the suite before it trains. It sees training data alone."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from benchmark.data import Split
from benchmark.metrics import cross_entropy
from benchmark.seeds import generator
from methods.network import Network


class Probe:
    """Gradients on training batches, random streams and the budget of the runs that are about to start."""

    def __init__(self, net: Network, train: Split, batch_size: int, seed: int, learning_rates: list[float]):
        self.net, self.train, self.batch_size, self.seed = net, train, batch_size, seed
        self.learning_rates = learning_rates

    def generators(self) -> list[torch.Generator]:
        """Fresh CPU generators, one a run, that depend on the run's seed alone."""
        return [generator(self.seed, "method") for _ in range(self.net.runs)]

    def gradient(self, batches: int) -> torch.Tensor:
        """Mean gradient [R, N] of the loss at the present weights over training batches of their own order.

        Batch norm sees the batches as in training; its running statistics are put back.
        """
        before = [buffer.clone() for buffer in self.net.buffers()]
        self.net.model.train()
        self.net.zero_grad()
        for x, y in self._batches(batches):
            cross_entropy(self.net.forward(x), y).mean(1).sum().backward()
        gradient = self.net.grad / batches
        self.net.zero_grad()
        for buffer, value in zip(self.net.buffers(), before, strict=True):
            buffer.copy_(value)
        return gradient

    def _batches(self, count: int) -> Iterator[Split]:
        inputs, labels = self.train
        order = torch.randperm(len(labels), generator=generator(self.seed, "probe")).to(labels.device)
        for start in range(0, count * self.batch_size, self.batch_size):
            # Round and round, should more batches be asked for than there are.
            chosen = order[torch.arange(start, start + self.batch_size, device=order.device) % len(order)]
            yield inputs[chosen], labels[chosen]
