"""Threads of a plugin that still run when a process is done."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

LINGER = 10.0  # seconds that they may take to end


def end_in_time(status: int, told: bool = False) -> None:
    """Let this process end with `status` LINGER seconds from now at the latest, though Python waits for its threads.

    With `told`, a line on the standard error then names the threads that still run.
    """
    main = threading.main_thread()

    def running() -> list[str]:
        return [thread.name for thread in threading.enumerate() if not thread.daemon and thread is not main]

    def end() -> None:
        with suppress(OSError, ValueError):  # nobody listens any more
            if told:
                names = ", ".join(running())
                print(f"warning: ended while threads still ran after {LINGER:g} s: {names}", file=sys.stderr)
        os._exit(status)

    if running():
        timer = threading.Timer(LINGER, end)
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:  # at the limit on processes, which counts threads
            end()
