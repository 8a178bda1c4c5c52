"""The one exception that stands for bad input."""


class UsageError(ValueError):
    """Bad input, told in one sentence that names the fault and the valid choices; the CLI exits with status 2."""


def last_line(error: Exception) -> str:
    """What an error says in the end, which is where libraries say it."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
