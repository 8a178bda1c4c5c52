"""A new user adds a method, a task, an experiment and a figure as docs/extending.md says, each with one file."""

from __future__ import annotations

import csv
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import ROOT

PAGE = (ROOT / "docs" / "extending.md").read_text()
FILES = dict(re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
COMMANDS = [
    line
    for block in re.findall(r"^```\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
    if line.startswith("sparsefront ")
]


def test_the_page_has_a_file_of_each_kind_and_commands_for_them() -> None:
    assert list(FILES) == ["first_come.py", "mlp_digits.py", "position.py", "seconds.py"]
    assert {line.split()[1] for line in COMMANDS} == {"list", "check", "run", "report"}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Run all commands of the page, in order, in a folder that holds its files alone."""
    folder = tmp_path_factory.mktemp("plugins")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    output = {}
    for command in COMMANDS:
        python = [sys.executable, "-m", "benchmark", *shlex.split(command)[1:]]
        done = subprocess.run(python, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        output[command] = done.stdout
    return folder, output


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "runs.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_method_is_listed_checked_and_trained(printed: tuple[Path, dict[str, str]]) -> None:
    folder, output = printed
    assert "first-come[last=false]" in output["sparsefront list methods --plugin first_come.py"]
    assert output["sparsefront check first_come.py"].strip()
    trained = rows(folder / "results" / "quickstart")
    assert {row["method"] for row in trained} == {"dense", "first-come", "first-come[last=true]"}
    assert all(row["status"] == "ok" for row in trained)
    assert (folder / "results" / "quickstart" / "figures" / "front-lenet300-digits.png").is_file()


def test_a_task_is_listed_and_trained(printed: tuple[Path, dict[str, str]]) -> None:
    folder, output = printed
    assert "mlp-digits" in output["sparsefront list tasks --plugin mlp_digits.py"]
    trained = rows(folder / "mine" / "quickstart")
    assert [(row["task"], row["method"], row["status"]) for row in trained] == [
        ("mlp-digits", "dense", "ok"),
        ("mlp-digits", "snip", "ok"),
    ]


def test_an_experiment_trains_its_whole_grid(printed: tuple[Path, dict[str, str]]) -> None:
    trained = rows(printed[0] / "results" / "position")
    assert len(trained) == 2 * (1 + 2 + 2) and {row["experiment"] for row in trained} == {"position"}


def test_a_figure_is_drawn_for_its_experiment_beside_the_front(printed: tuple[Path, dict[str, str]]) -> None:
    figures = {path.name for path in (printed[0] / "results" / "position" / "figures").iterdir()}
    assert {"seconds.png", "front-mlp-digits.png"} <= figures
