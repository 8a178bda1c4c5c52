"""`python -m sparsefront` is the command `sparsefront`."""

import sys


def main() -> None:
    """Run the command; Ctrl-C ends it also while it is being imported."""
    try:
        from benchmark.cli.commands import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
