"""Blocks that end after some time."""

import gc
import time
import weakref
from contextlib import suppress

import pytest

from benchmark.engines.signals import ending_after


class Enough(BaseException):
    """The end of the block."""


class Referred:
    """An object that a weak reference can point to."""


def test_a_block_ends_though_its_code_takes_exceptions_for_its_own() -> None:
    with pytest.raises(Enough), ending_after(0.05, Enough()):
        while True:
            with suppress(Exception):
                time.sleep(10)


def test_an_end_within_a_callback_of_a_weak_reference_comes_again_and_prints_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def callback(_: object) -> None:
        calls.append(time.monotonic())
        time.sleep(0.5)  # Python cannot let the first end through

    calls: list[float] = []
    with pytest.raises(Enough), ending_after(0.05, Enough()):
        referred = Referred()
        reference = weakref.ref(referred, callback)
        del referred
        gc.collect()
        time.sleep(10)
    assert len(calls) == 1
    assert reference() is None
    assert capsys.readouterr().err == ""


def test_other_errors_that_python_cannot_raise_are_still_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def callback(_: object) -> None:
        raise ValueError("another fault")

    seen: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", lambda lost: seen.append(str(lost.exc_value)))
    with ending_after(60, Enough()):
        referred = Referred()
        reference = weakref.ref(referred, callback)
        del referred
        gc.collect()
    assert reference() is None
    assert seen == ["another fault"]
