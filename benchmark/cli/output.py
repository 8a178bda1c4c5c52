"""The consoles of the commands, and output that never ends one: missing characters, a closed pipe, a full disk."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from rich.console import Console

from benchmark.errors import printable


def _open_closed_streams() -> None:
    """Open a stream that was closed, as by `>&-`; else a table would take its number, and what libraries print there.

    Raises no error, and what is printed to such a stream goes nowhere.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r"))


class _Console(Console):
    """A console that escapes characters which steer a terminal, as in the name of a file or of a plugin's method."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(printable(thing) if isinstance(thing, str) else thing for thing in objects), **options)


_open_closed_streams()
if os.environ.get("COLUMNS") == "0":  # a shell that knows no width; rich would print tables without columns
    del os.environ["COLUMNS"]
console = _Console(width=None if sys.stdout.isatty() else 160, markup=False, highlight=False)
errors = _Console(stderr=True, markup=False, highlight=False, soft_wrap=True)


class _Stream:
    """A text stream that goes on as if it had written when its file takes no more."""

    def __init__(self, stream: Any):
        self._stream = stream
        self.lost = False  # output that somebody waits for

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except (OSError, ValueError) as error:  # a plugin may have closed it
            self._give_up(error)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:  # a plugin may have closed it
            self._give_up(error)

    def _give_up(self, error: OSError | ValueError) -> None:
        """Send what is left, and all that follows, to nowhere; Python writes it once more at the exit."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        with suppress(OSError, ValueError):
            os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        self.lost = isinstance(error, OSError) and error.errno not in (
            errno.EPIPE,
            errno.EIO,
        )  # with these, nobody listens any more
        if isinstance(error, OSError) and self.lost and self._stream is not sys.__stderr__:
            print(f"warning: output cannot be written ({error.strerror}); the command goes on", file=sys.stderr)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def lasting_output() -> Iterator[None]:
    """Let a command write on when its output is lost, and print `?` for characters that the terminal lacks.

    A command that ends well although its output did not fit on a disk exits with status 1.
    """
    before = sys.stdout, sys.stderr
    for stream in before:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    out, err = (_Stream(stream) for stream in before)
    sys.stdout, sys.stderr = cast(TextIO, out), cast(TextIO, err)
    try:
        yield
    except SystemExit as ended:
        out.flush()
        raise SystemExit(ended.code or int(out.lost)) from None
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before
