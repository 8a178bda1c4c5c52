"""Signal handlers for the length of a block."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Handler = Callable[..., Any] | signal.Handlers


@contextmanager
def handling(handler: Handler, *numbers: signal.Signals) -> Iterator[None]:
    """Let `handler` receive some signals until the block ends.

    Outside the main thread, where Python allows no handlers, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [signal.signal(number, handler) for number in numbers]
    try:
        yield
    finally:
        for number, previous in zip(numbers, before, strict=True):
            signal.signal(number, previous)


@contextmanager
def ending_after(seconds: float, error: BaseException) -> Iterator[None]:
    """Raise `error` within the block once some seconds are over, whatever Python code runs then.

    Where Python cannot let it through, as in a callback of a weak reference, it is raised again a second later, and
    nothing is printed. Outside the main thread, where Python allows no handlers, nothing is raised.
    """
    unraisable = sys.unraisablehook

    def end(*_: object) -> None:
        raise error

    def report(lost: sys.UnraisableHookArgs) -> None:
        if lost.exc_value is not error:
            unraisable(lost)

    main = threading.current_thread() is threading.main_thread()
    with handling(end, signal.SIGALRM):
        try:
            sys.unraisablehook = report
            signal.setitimer(signal.ITIMER_REAL, seconds if main else 0, 1)
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            sys.unraisablehook = unraisable


def hangup() -> tuple[signal.Signals, ...]:
    """Return the signal that a closed terminal sends, unless it is ignored, as by nohup."""
    return () if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else (signal.SIGHUP,)
