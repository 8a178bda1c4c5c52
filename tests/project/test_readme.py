"""The README is short, and all its snippets run unchanged."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from methods import METHODS
from tests.builders import ROOT
from tests.processes import ended

README = (ROOT / "README.md").read_text()


def block(heading: str) -> str:
    """Return the first block of Python under a heading."""
    found = re.search(rf"^## {heading}$.*?^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


def test_the_readme_has_at_most_150_lines() -> None:
    assert len(README.splitlines()) <= 150


def test_the_readme_says_how_to_install_and_to_cite() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = set(re.findall(r"\[(\w+)\]", README.partition("pip install -e")[2].partition("\n")[0]))
    assert named == set(extras) - {"dev"}
    for part in ("git clone ", "https://arxiv.org/abs/2502.02496", "```bibtex\n@inproceedings{kolb2025dwf,"):
        assert part in README


def test_the_readme_lists_every_method() -> None:
    table = re.search(r"<!-- begin: methods -->\n(.*?)<!-- end -->", README, re.DOTALL)
    assert table
    assert set(re.findall(r"`([a-z0-9-]+)`", table[1])) == set(METHODS)


@pytest.mark.slow
def test_the_method_of_the_readme_trains_as_a_plugin(tmp_path: Path) -> None:
    plugin = tmp_path / "first_come.py"
    plugin.write_text(block("Add a method"))
    command = ["run", "quickstart", "--methods", "first-come", "--values", "0.5", "--seeds", "0", "--epochs", "5"]
    options = ["--plugin", str(plugin), "--workers", "1", "--results", str(tmp_path)]
    status, printed = ended(*command, *options, output=tmp_path / "printed")
    assert status == 0, printed
    ((compression, accuracy),) = re.findall(r"CR ([\d.]+), test ([\d.]+) %", printed)
    assert compression == "2.0" and float(accuracy) > 30


def test_the_script_of_the_readme_keeps_the_digits_with_few_weights(capsys: pytest.CaptureFixture[str]) -> None:
    """The page on scripts has what comes before it and after it."""
    before, after = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "scripts.md").read_text(), re.DOTALL | re.M)[
        :2
    ]
    exec(before + block("Use a method in your own script") + after, {})
    found = re.fullmatch(r"compression (\d+), test accuracy ([\d.]+) %\n", capsys.readouterr().out)
    assert found and 40 < int(found[1]) < 80 and float(found[2]) > 92


def test_the_readme_draws_three_methods_from_published_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results").symlink_to(ROOT / "results")
    monkeypatch.chdir(tmp_path)
    exec(block("Read the results"), {})
    assert "test_mean" in capsys.readouterr().out
    assert (tmp_path / "three-methods.png").read_bytes().startswith(b"\x89PNG")
