"""The exception for bad input, and errors in one line."""

from __future__ import annotations

import traceback


class UsageError(ValueError):
    """Bad input. The message is one sentence with the fault and the valid choices; the CLI exits with status 2."""


def last_line(error: Exception) -> str:
    """Return the last line of an error's message, since libraries put the cause there."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


def error_text(error: BaseException) -> str:
    """Return an error's type and message in one line; without a message, the line of code that raised it."""
    try:
        message = " ".join(str(error).split())
    except Exception:  # an exception of a plugin may have a faulty __str__
        message = ""
    if not message and (frames := traceback.extract_tb(error.__traceback__)):
        message = f"at `{frames[-1].line}`" if frames[-1].line else ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
