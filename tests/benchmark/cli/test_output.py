"""A command goes on when its output is lost, and when a terminal lacks a character."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from benchmark.cli.output import lasting_output


def test_a_closed_pipe_ends_no_command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", buffering=1) as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        with lasting_output():
            for _ in range(3):
                print("a line that nobody reads")
                sys.stdout.flush()
        assert sys.stdout is pipe
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_reported_once(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    with Path("/dev/full").open("w", buffering=1) as full:
        monkeypatch.setattr(sys, "stdout", full)
        with lasting_output():
            print("one")
            print("two")
    assert (
        capfd.readouterr().err == "warning: output cannot be written (No space left on device); the command goes on\n"
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_characters_that_a_terminal_lacks_become_question_marks(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    with lasting_output():
        print("80 \N{EN DASH} 90 \udce9")
    assert written.getvalue() == b"80 ? 90 ?\n"
