"""The one exception that stands for bad input."""


class UsageError(ValueError):
    """Bad input, told in one sentence that names the fault and the valid choices; the CLI exits with status 2."""
