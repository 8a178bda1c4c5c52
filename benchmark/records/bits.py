"""Sequences of true and false as text of a table."""

from __future__ import annotations

import base64

import numpy
from numpy.typing import ArrayLike, NDArray


def encode(bits: ArrayLike) -> str:
    """Return booleans [n] as base64 of their bytes, the first of eight as the highest bit; the last byte ends in 0."""
    return base64.b64encode(numpy.packbits(numpy.asarray(bits, dtype=bool)).tobytes()).decode()


def decode(text: str, count: int) -> NDArray[numpy.bool_]:
    """Return the `count` booleans that `encode` wrote. Raises ValueError if the text holds fewer, or is none of its."""
    held = numpy.frombuffer(base64.b64decode(text, validate=True), dtype=numpy.uint8)
    if len(held) != -(-count // 8):
        raise ValueError(f"{count} bits do not have {len(held)} bytes")
    return numpy.unpackbits(held, count=count).astype(bool)
