"""A command goes on when its output is lost, and when a terminal lacks a character."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.cli.output import lasting_output
from tests.builders import ROOT, run, sparsefront, write


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
        with pytest.raises(SystemExit) as ended, lasting_output():
            print("one")
            print("two")
            sys.exit(0)
    assert ended.value.code == 1  # what somebody waits for is not whole
    assert (
        capfd.readouterr().err == "warning: output cannot be written (No space left on device); the command goes on\n"
    )


def test_a_command_without_streams_ends_as_another_and_gives_their_numbers_to_no_file() -> None:
    code = "import benchmark.cli.commands, os; os.write(3, str(os.open('/', 0)).encode()); benchmark.cli.main()"
    reader, writer = os.pipe()

    def close() -> None:
        os.dup2(writer, 3)
        for number in range(3):
            os.close(number)

    arguments = [sys.executable, "-c", code, "list", "experiments"]
    settings = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(arguments, preexec_fn=close, pass_fds=[3, writer], env=settings, check=False)
    os.close(writer)
    with os.fdopen(reader) as told:
        assert ended.returncode == 0 and int(told.read()) > 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_characters_that_a_terminal_lacks_become_question_marks(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    with lasting_output():
        print("80 \N{EN DASH} 90 \udce9")
    assert written.getvalue() == b"80 ? 90 ?\n"


def test_a_stream_that_a_plugin_closed_ends_no_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        monkeypatch.setattr(sys, "stdout", log)
        with lasting_output():
            log.close()
            print("a line that goes nowhere")


def test_names_do_not_steer_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    name = "\x1b]0;title\x07\x1b[2J"
    assert sparsefront(monkeypatch, "status", "--results", str(tmp_path / name)) == 2
    (tmp_path / name / "one").mkdir(parents=True)
    write(tmp_path / name / "one", [run(name, 0.5, 0, 500, 80, 80, task=name)])
    assert sparsefront(monkeypatch, "status", "--results", str(tmp_path / name)) == 0
    assert sparsefront(monkeypatch, "status", "one", "--results", str(tmp_path / name)) == 0
    assert sparsefront(monkeypatch, "status", name, "--results", str(tmp_path / name)) == 2
    told = "".join(capfd.readouterr())
    assert "\\x1b]0;title\\x07\\x1b[2J" in told and "\x1b" not in told and "\x07" not in told
