"""The exception for bad input, and errors in one line."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable


class UsageError(ValueError):
    """Bad input. The message is one sentence with the fault and the valid choices; the CLI exits with status 2."""


def last_line(error: Exception) -> str:
    """Return the last line of an error's message, since libraries put the cause there."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


MOST_CHARACTERS = 2_000  # an error's text in a row may have; the C++ stack traces of torch have more
MOST_LINES = 200  # a printed traceback may have


def error_text(error: BaseException) -> str:
    """Return an error's type and message in one line that any file and terminal takes.

    Without a message, the line of code that raised it takes its place.
    """
    kind = _tried(lambda: str(type(error).__name__), "an exception without a name")
    message = _tried(lambda: " ".join(str(error).split()), "") or _tried(lambda: _last_line_of_code(error), "")
    text = printable(f"{kind}: {message}" if message else kind)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]} ... ({len(text)} characters)"


def _tried(attempt: Callable[[], str], otherwise: str) -> str:
    """Return a text, or another one where an exception of a plugin fails even when it is asked for its text."""
    try:
        return attempt()
    except BaseException:
        return otherwise


def _last_line_of_code(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"at `{frames[-1].line}`" if frames and frames[-1].line else ""


def traceback_text() -> str:
    """Return the traceback of the exception that is being handled, with long lines cut."""
    _, error, frames = sys.exc_info()
    assert error is not None
    lines = printable(_tried(traceback.format_exc, "")).splitlines()
    lines = lines or [*printable("".join(traceback.format_tb(frames))).splitlines(), error_text(error)]
    return "\n".join(line[:MOST_CHARACTERS] for line in lines[-MOST_LINES:]) + "\n"


def printable(text: str) -> str:
    """Return a text with the characters escaped that steer a terminal, and those that no encoding has."""
    escaped = text.encode(errors="backslashreplace").decode()
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in escaped)
