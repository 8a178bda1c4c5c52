"""Sequences of true and false as text of a table."""

from __future__ import annotations

import base64
import binascii

import numpy
from numpy.typing import ArrayLike, NDArray


def encode(bits: ArrayLike) -> str:
    """Return booleans [n] as base64 of their bytes, the first of eight as the highest bit; the last byte ends in 0."""
    return base64.b64encode(numpy.packbits(numpy.asarray(bits, dtype=bool)).tobytes()).decode()


def packed(text: str, count: int) -> bytes:
    """Return the bytes of the `count` booleans that `encode` wrote. Raises ValueError if the text is none of its."""
    held = binascii.a2b_base64(text, strict_mode=True)
    if len(held) != -(-count // 8):
        raise ValueError(f"{count} bits do not have {len(held)} bytes")
    return held


def unpacked(held: bytes, count: int) -> NDArray[numpy.bool_]:
    """Return `count` booleans from their bytes."""
    return numpy.unpackbits(numpy.frombuffer(held, dtype=numpy.uint8), count=count).view(bool)
