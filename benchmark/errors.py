"""The exception for bad input."""


class UsageError(ValueError):
    """Bad input. The message is one sentence with the fault and the valid choices; the CLI exits with status 2."""


def last_line(error: Exception) -> str:
    """Return the last line of an error's message, since libraries put the cause there."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
