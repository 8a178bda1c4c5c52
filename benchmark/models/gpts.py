"""A small GPT: a transformer that predicts the next token of a sequence."""

from __future__ import annotations

import torch
from torch import nn


class Block(nn.Module):
    """Causal self-attention and a perceptron, each after a layer norm and added to its input."""

    def __init__(self, length: int, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.project = (nn.Linear(width, width) for _ in range(4))
        self.expand, self.contract = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.register_buffer("future", torch.ones(length, length, dtype=torch.bool).triu(1), persistent=False)
        self.future: torch.Tensor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.project(self.attend(self.norm1(x)))
        return x + self.contract(nn.functional.gelu(self.expand(self.norm2(x))))

    def attend(self, x: torch.Tensor) -> torch.Tensor:
        """Return the values [B, T, C] that each place attends to, none of them later."""
        query, key, value = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(-3, -2) for layer in (self.query, self.key, self.value)
        )
        affinities = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
        shares = affinities.masked_fill(self.future, -torch.inf).softmax(-1)
        return (shares @ value).transpose(-3, -2).flatten(-2)


class Gpt(nn.Module):
    """A GPT without dropout whose output layer has weights of its own, not those of the embedding."""

    def __init__(self, tokens: int, length: int, width: int, layers: int, heads: int):
        super().__init__()
        self.token, self.place = nn.Embedding(tokens, width), nn.Embedding(length, width)
        self.blocks = nn.Sequential(*(Block(length, width, heads) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, tokens, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.norm(self.blocks(self.token(x) + self.place.weight)))
        return logits


def gpt(tokens: int, length: int, layers: int = 2, heads: int = 4, width: float = 1.0) -> torch.nn.Module:
    """Build a GPT for sequences of `length` tokens; 401,536 prunable weights for 65 tokens.

    Radford et al., 2019. `width` scales its 128 features. Weights start normal with a standard deviation of 0.02, those
    of layers that end a branch with 0.02 / sqrt(2 layers), biases with zero.
    """
    model = Gpt(tokens, length, heads * max(round(32 * width), 1), layers, heads)
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            ends = name.endswith(("project", "contract"))
            nn.init.normal_(module.weight, std=0.02 / (2 * layers) ** 0.5 if ends else 0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
    return model
