"""The exception for bad input, and errors in one line."""

from __future__ import annotations

import traceback


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
    try:
        message = " ".join(str(error).split())
    except BaseException:  # an exception of a plugin may have a faulty __str__
        message = ""
    if not message and (frames := traceback.extract_tb(error.__traceback__)):
        message = f"at `{frames[-1].line}`" if frames[-1].line else ""
    text = printable(f"{type(error).__name__}: {message}" if message else type(error).__name__)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]} ... ({len(text)} characters)"


def traceback_text() -> str:
    """Return the traceback of the exception that is being handled, with long lines cut."""
    lines = printable(traceback.format_exc()).splitlines()
    return "\n".join(line[:MOST_CHARACTERS] for line in lines[-MOST_LINES:]) + "\n"


def printable(text: str) -> str:
    """Return a text with the characters escaped that steer a terminal, and those that no encoding has."""
    escaped = text.encode(errors="backslashreplace").decode()
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in escaped)
