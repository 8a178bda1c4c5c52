"""The package `sparsefront`: all public names in one, also beside a folder of the user with the name of a package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import benchmark
import methods
import plots
import sparsefront
from tests.builders import ROOT


def test_it_offers_the_public_names_of_the_three_packages() -> None:
    assert set(sparsefront.__all__) == {*methods.__all__, *benchmark.__all__, *plots.__all__}
    assert sparsefront.parse is methods.parse and sparsefront.Experiment is benchmark.Experiment
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sparsefront.nothing  # noqa: B018


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False)


def test_a_folder_of_the_same_name_is_a_warning_or_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "methods").mkdir()
    (tmp_path / "methods" / "__init__.py").write_text("")
    ended = python(tmp_path, "-c", "from sparsefront import parse; print(parse('snip'))")
    assert ended.stdout == "snip\n" and f"rename {tmp_path / 'methods'}" in ended.stderr
    ended = python(tmp_path, "-c", "import methods, sparsefront")
    assert ended.returncode == 1 and "ImportError: sparsefront has a package named methods, as your" in ended.stderr


@pytest.mark.parametrize("name", ["methods/__init__.py", "methods.py"])
def test_commands_and_workers_have_the_packages_of_the_suite(name: str, tmp_path: Path) -> None:
    (tmp_path / "methods").mkdir()
    (tmp_path / name).write_text("")
    if name == "methods.py":
        (tmp_path / "methods").rmdir()
    place = (tmp_path / name).parent if name.endswith("__init__.py") else tmp_path / name
    for module in ("benchmark", "sparsefront"):
        ended = python(tmp_path, "-m", module, "list", "methods")
        assert ended.stderr.count("Warning") == 1 and f"rename {place}\n" in ended.stderr
        assert ended.returncode == 0 and "\nmagnitude  [" in ended.stdout
    found = python(tmp_path, "-c", "import sys, sparsefront; print(sys.path[0])")
    assert found.stdout == f"{ROOT}\n"  # worker processes have this path from the start
