"""A promise: a function with a name for the user, which raises BrokenPromise with the reason."""

from __future__ import annotations

TIMES = ("train_seconds", "step_ms", "peak_memory_mb")  # fields of a measurement that differ from run to run


class BrokenPromise(AssertionError):
    """A promise that a method or a task does not hold; the message is the reason."""


def require(holds: object, reason: str) -> None:
    """Raise BrokenPromise with the reason unless the condition holds."""
    if not holds:
        raise BrokenPromise(reason)
