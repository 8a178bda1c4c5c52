"""A sentence about which parameters of a model are pruned, and which stay dense."""

from __future__ import annotations

from methods.core.lazy import torch
from methods.core.network import prunable_names, trained_names

NAMED = 6  # the most tensors that the sentence names


def coverage(model: torch.nn.Module) -> str:
    """Return how many trained parameters are pruned, and name the matrices and larger tensors that stay dense.

    For instance "prunes 48 of 144 trained parameters; dense: rnn.weight_ih_l0 (64), 2 vectors (32); not trained:
    1 tensor (8)".
    """
    sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
    prunable, trained = set(prunable_names(model)), trained_names(model)
    dense = [name for name in trained if name not in prunable]
    tensors = [name for name in dense if model.get_parameter(name).dim() > 1]
    tensors.sort(key=lambda name: -sizes[name])
    vectors = [name for name in dense if name not in set(tensors)]
    frozen = [name for name in sizes if name not in set(trained)]
    parts = [f"{name} ({sizes[name]:,})" for name in tensors[:NAMED]]
    parts += _together("more tensor", tensors[NAMED:], sizes) + _together("vector", vectors, sizes)
    pruned, total = sum(sizes[name] for name in prunable), sum(sizes[name] for name in trained)
    sentence = f"prunes {pruned:,} of {total:,} trained parameters"
    if parts:
        sentence += f"; dense: {', '.join(parts)}"
    return sentence + "".join(f"; not trained: {part}" for part in _together("tensor", frozen, sizes))


def _together(kind: str, names: list[str], sizes: dict[str, int]) -> list[str]:
    """Return a phrase that counts tensors and their entries, in a list that is empty if there are no tensors."""
    count = len(names)
    return [f"{count} {kind}{'s' * (count > 1)} ({sum(sizes[name] for name in names):,})"] if names else []
