"""A sentence about which parameters of a model are pruned, and which stay dense."""

from __future__ import annotations

import warnings
from collections import Counter

from methods.core.choice import plain_name
from methods.core.lazy import torch
from methods.core.network import Network
from methods.core.prunable import prunable_names, trained_names

NAMED = 6  # the most tensors that a list names


def coverage(model: torch.nn.Module, names: list[str] | None = None) -> str:
    """Return how many trained parameters are pruned, and name the largest tensors and modules that are not.

    `names` are the pruned parameters, by default `prunable_names`. For instance "prunes 48 of 144 trained parameters;
    dense: words.weight (64), 2 vectors (32); not trained: backbone (1,024)".
    """
    sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
    prunable, trained = set(prunable_names(model) if names is None else names), trained_names(model)
    dense = [name for name in trained if name not in prunable]
    tensors = {name: sizes[name] for name in dense if model.get_parameter(name).dim() > 1}
    vectors = [sizes[name] for name in dense if name not in tensors]
    frozen: Counter[str] = Counter()
    for name in sizes.keys() - set(trained):
        frozen[_frozen_part(model, name)] += sizes[name]
    parts = _largest(tensors) + _together("vector", vectors)
    pruned, total = sum(sizes[name] for name in prunable), sum(sizes[name] for name in trained)
    sentence = f"prunes {pruned:,} of {total:,} trained parameters"
    if parts:
        sentence += f"; dense: {', '.join(parts)}"
    return plain_name(sentence + (f"; not trained: {', '.join(_largest(frozen))}" if frozen else ""))


def warn_if_mostly_dense(net: Network, sentence: str) -> None:
    """Warn with a sentence about the coverage if more than half of the trained parameters stay dense."""
    if net.weights.numel() < net.other_params.numel():
        warnings.warn(f"most trained parameters stay dense: {sentence}; choose with include= or exclude=", stacklevel=3)


def _frozen_part(model: torch.nn.Module, name: str) -> str:
    """Return the name of the outermost module around a frozen parameter that is frozen as a whole, or its own name."""
    steps = name.split(".")
    for i in range(1, len(steps)):
        module = ".".join(steps[:i])
        if not any(parameter.requires_grad for parameter in model.get_submodule(module).parameters()):
            return module
    return name


def _largest(sizes: dict[str, int]) -> list[str]:
    """Return phrases that name the largest tensors, and count the others."""
    ranked = sorted(sizes, key=lambda name: (-sizes[name], name))
    named = [f"{name} ({sizes[name]:,})" for name in ranked[:NAMED]]
    return named + _together("more tensor", [sizes[name] for name in ranked[NAMED:]])


def _together(kind: str, sizes: list[int]) -> list[str]:
    """Return a phrase that counts tensors and their entries, in a list that is empty if there are no tensors."""
    return [f"{len(sizes)} {kind}{'s' * (len(sizes) > 1)} ({sum(sizes):,})"] if sizes else []
