"""`python -m sparsefront` is the command `sparsefront`."""

import sys


def main() -> None:
    """Run the command; Ctrl-C ends it also while it is being imported."""
    try:
        from benchmark.cli.commands import main as command
        from benchmark.engines.interrupts import bound_interrupts
        from benchmark.engines.threads import end_in_time

        bound_interrupts()
    except KeyboardInterrupt:
        sys.exit(130)
    status = 1  # after a traceback
    try:
        command()
    except SystemExit as ended:
        status = int(ended.code or 0)
        raise
    finally:
        end_in_time(status, told=True)


if __name__ == "__main__":
    main()
