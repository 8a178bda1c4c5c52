"""The end of a command after Ctrl-C, whatever hangs in it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress

LONGEST = 90.0  # seconds; training that stops in order takes a minute at most, see PATIENCE in local.py


def bound_interrupts() -> None:
    """End this process with status 130 at the latest LONGEST seconds after a signal that it handles asks it to end.

    Handlers of Python do not run while other code hangs, and KeyboardInterrupt may be swallowed. The bytes that Python
    writes to this pipe come in spite of both.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def wait() -> None:
        while not {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} & set(os.read(reading, 1)):
            pass
        time.sleep(LONGEST)
        with suppress(OSError, ValueError):  # nobody listens any more
            print(f"error: the command went on for {LONGEST:g} s after its interrupt and was ended", file=sys.stderr)
        os._exit(130)

    with suppress(RuntimeError):  # at the limit on processes, which counts threads
        threading.Thread(target=wait, daemon=True).start()
