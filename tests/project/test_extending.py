"""The files of docs/extending.md add a method, a task, an experiment and a figure; each needs no other edit."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import pytest

from tests.builders import ROOT
from tests.processes import ended

PAGE = (ROOT / "docs" / "extending.md").read_text()
FILES = dict(re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
COMMANDS = [
    line
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
    if not language and line.startswith("sparsefront ")
]


def test_the_page_has_a_file_of_each_kind_and_commands_for_them() -> None:
    assert list(FILES) == ["first_come.py", "mlp_digits.py", "position.py", "seconds.py"]
    assert {line.split()[1] for line in COMMANDS} == {"list", "check", "run", "report"}


@pytest.mark.slow
def test_a_new_user_adds_a_method_a_task_an_experiment_and_a_figure_with_one_file_each(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    printed = {command: run(command, tmp_path) for command in COMMANDS}

    assert "first-come[last=false]" in printed["sparsefront list methods --plugin first_come.py"]
    assert "ok      first-come: " in printed["sparsefront check first_come.py"]
    assert ran(tmp_path / "results" / "quickstart") == [
        ("lenet300-digits", "dense", "ok"),
        ("lenet300-digits", "first-come", "ok"),
        ("lenet300-digits", "first-come[last=true]", "ok"),
    ]
    assert (tmp_path / "results" / "quickstart" / "figures" / "front-lenet300-digits.png").is_file()

    assert "mlp-digits" in printed["sparsefront list tasks --plugin mlp_digits.py"]
    assert "ok      mlp-digits: " in printed["sparsefront check mlp_digits.py"]
    assert ran(tmp_path / "mine" / "quickstart") == [("mlp-digits", "dense", "ok"), ("mlp-digits", "snip", "ok")]

    assert len(ran(tmp_path / "results" / "position")) == 2 * (1 + 2 + 2)  # seeds x (dense + two methods at two values)

    figures = {path.name for path in (tmp_path / "results" / "position" / "figures").iterdir()}
    assert {"seconds.png", "front-mlp-digits.png"} <= figures


def run(command: str, folder: Path) -> str:
    """Run a command of the page in a folder, in a process of its own, and return its output.

    A sweep trains in that process: workers take seconds to start, and other tests start them.
    """
    words = shlex.split(command)[1:]
    words += ["--workers", "1"] if words[0] == "run" else []
    status, printed = ended(*words, output=folder / "printed", folder=folder)
    assert status == 0, f"{command}\n{printed}"
    (folder / "printed").unlink()
    return printed


def ran(folder: Path) -> list[tuple[str, str, str]]:
    with (folder / "runs.csv").open(newline="") as file:
        return sorted((row["task"], row["method"], row["status"]) for row in csv.DictReader(file))
