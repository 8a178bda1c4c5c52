"""The command as pip installs it: a script that imports `main`, which every new process imports again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.builders import ROOT, rows

SCRIPT = """import sys
from benchmark.cli.commands import main
from benchmark.engines import worker
worker.MOST_READERS = 1
if __name__ == '__main__':
    sys.exit(main())
"""


def console(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, as its console script."""
    script = folder / "sparsefront"
    script.write_text(SCRIPT)
    settings = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | environment
    return subprocess.run(
        [sys.executable, str(script), *arguments], cwd=folder, env=settings, capture_output=True, text=True, check=False
    )


def test_the_command_ends_although_a_thread_of_a_plugin_goes_on(tmp_path: Path) -> None:
    plugin = tmp_path / "threaded.py"
    plugin.write_text(
        "import threading\nfrom benchmark.engines import threads\nthreads.LINGER = 0.01\n"
        "threading.Thread(target=threading.Event().wait, name='uploader').start()\n"
    )
    command = [sys.executable, "-m", "sparsefront", "list", "methods", "--plugin", str(plugin)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0 and "dwf" in ended.stdout
    assert ended.stderr == "warning: ended while threads still ran after 0.01 s: uploader\n"


def test_the_command_ends_although_a_plugin_swallows_its_interrupt(tmp_path: Path) -> None:
    plugin = tmp_path / "deaf.py"
    plugin.write_text(
        "import signal, time\nfrom benchmark.engines import interrupts\ninterrupts.LONGEST = 0.01\n"
        "while True:\n    try:\n        signal.raise_signal(signal.SIGINT)\n        time.sleep(600)\n"
        "    except KeyboardInterrupt:\n        time.sleep(600)\n"
    )
    command = [sys.executable, "-m", "sparsefront", "list", "methods", "--plugin", str(plugin)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 130
    assert ended.stderr == "error: the command went on for 0.01 s after its interrupt and was ended\n"


def test_tables_have_columns_although_the_environment_says_that_the_terminal_has_none() -> None:
    code = "import benchmark.cli.output; from rich.console import Console; print(Console().width)"
    settings = os.environ | {"COLUMNS": "0"}
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=settings, capture_output=True, text=True)
    assert int(ended.stdout) >= 80


@pytest.mark.slow
def test_images_are_read_by_processes_of_the_command(tmp_path: Path) -> None:
    for part, count in (("train", 12), ("val", 4)):
        for label, name in enumerate("ab"):
            (tmp_path / "birds" / part / name).mkdir(parents=True)
            for i in range(count):
                Image.new("RGB", (40, 40), (120 * label + i, 0, 0)).save(tmp_path / "birds" / part / name / f"{i}.png")
    ended = console(
        tmp_path, "run", "quickstart", "--tasks", "timm:test_resnet-birds[classes=2,images=24]", "--methods", "random",
        "--values", "0.5", "--seeds", "0", "--epochs", "1", "--timeout", "1000", "--results", "res",
        SPARSEFRONT_DATA="~", HOME=str(tmp_path),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = rows(tmp_path / "res" / "quickstart")
    assert [row["status"] for row in found] == ["ok"]  # computed in a worker, since it has a timeout
    assert len(found[0]["data_hash"]) == 12
