"""The process that computes packs for another one: what it receives, sends and does when it is stopped."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
from contextlib import closing, suppress
from multiprocessing.connection import Connection

from benchmark.engines.packs import compute
from benchmark.engines.settings import Settings
from benchmark.engines.signals import hangup
from benchmark.engines.threads import end_in_time
from benchmark.engines.worker import Worker
from benchmark.training.devices import numerics

BEGUN = "begun"  # a worker's message that it works on its pack


def serve(connection: Connection, settings: Settings, share: int) -> None:
    """Compute the packs that a connection sends; save a checkpoint and end on SIGTERM or when the parent dies."""
    try:
        with numerics(), closing(Worker(settings, share)) as worker:
            for number in (signal.SIGTERM, *hangup()):
                signal.signal(number, lambda *_: worker.stop.set())
            try:
                threading.Thread(target=_stop_with_parent, args=[worker], daemon=True).start()
            except RuntimeError:  # the limit on processes counts threads, too
                raise SystemExit(1) from None
            with suppress(EOFError, OSError, KeyboardInterrupt):
                while pack := connection.recv():
                    connection.send(BEGUN)
                    for part in compute(pack, worker):
                        connection.send(part)
                    connection.send(None)
    finally:
        end_in_time(int(sys.exception() is not None))


def _stop_with_parent(worker: Worker) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    worker.stop.set()
