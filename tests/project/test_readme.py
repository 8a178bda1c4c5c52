"""The README is short, and all its snippets run unchanged."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmark.data.in_memory import digits
from methods import METHODS
from tests.builders import ROOT

README = (ROOT / "README.md").read_text()


def block(heading: str) -> str:
    """Return the first block of Python under a heading."""
    found = re.search(rf"^## {heading}$.*?^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


def test_the_readme_has_at_most_150_lines() -> None:
    assert len(README.splitlines()) <= 150


def test_the_readme_lists_every_method() -> None:
    table = re.search(r"<!-- begin: methods -->\n(.*?)<!-- end -->", README, re.DOTALL)
    assert table
    assert set(re.findall(r"`([a-z0-9-]+)`", table[1])) == set(METHODS)


@pytest.mark.slow
def test_the_method_of_the_readme_trains_as_a_plugin(tmp_path: Path) -> None:
    plugin = tmp_path / "first_come.py"
    plugin.write_text(block("Add a method"))
    command = [sys.executable, "-m", "benchmark", "run", "quickstart", "--methods", "first-come", "--values", "0.5"]
    options = ["--seeds", "0", "--epochs", "5", "--plugin", str(plugin), "--workers", "1", "--results", str(tmp_path)]
    printed = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    ((compression, accuracy),) = re.findall(r"CR ([\d.]+), test ([\d.]+) %", printed)
    assert compression == "2.0" and float(accuracy) > 30


def test_the_script_of_the_readme_keeps_the_digits_with_few_weights() -> None:
    """The model starts as torch starts it, and nothing in the script is changed."""
    torch.manual_seed(0)
    data = digits(Path())
    (x, y), (test_x, test_y) = ((inputs[:], labels) for inputs, labels in (data.train, data.test))
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10)
    )
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=64, shuffle=True)
    exec(block("Use a method in your own script"), {"model": model, "loader": loader, "epochs": 40, "torch": torch})
    weights = [parameter for parameter in model.parameters() if parameter.dim() == 2]
    kept = sum(int(weight.count_nonzero()) for weight in weights)
    assert 20 * kept < sum(weight.numel() for weight in weights)
    assert (model(test_x).argmax(1) == test_y).float().mean() > 0.9


def test_the_readme_draws_three_methods_from_published_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results").symlink_to(ROOT / "results")
    monkeypatch.chdir(tmp_path)
    exec(block("Read the results"), {})
    assert "test_mean" in capsys.readouterr().out
    assert (tmp_path / "three-methods.png").read_bytes().startswith(b"\x89PNG")
