"""What the README tells a newcomer to write works as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas
import pytest
import torch

from methods import SparseOptimizer
from plots.results import load
from plots.summaries import summary
from tests.conftest import mlp

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


def block(heading: str) -> str:
    """The first block of Python under a heading."""
    found = re.search(rf"^## {heading}$.*?^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


def test_the_method_and_the_task_of_the_readme_run(tmp_path: Path) -> None:
    plugins = []
    for name, heading in (("method", "Add a method"), ("task", "Add a task")):
        plugin = tmp_path / f"{name}.py"
        plugin.write_text(block(heading))
        plugins += ["--plugin", str(plugin)]
    what = ["--tasks", "mlp-digits", "--methods", "first-come,first-come[last=true]", "--values", "0.5", "--seeds", "0"]
    command = [sys.executable, "-m", "benchmark", "run", "quickstart", *what, *plugins]
    where = ["--epochs", "5", "--workers", "1", "--results", str(tmp_path)]
    told = subprocess.run([*command, *where], capture_output=True, text=True, check=True).stdout
    accuracies = [float(text) for text in re.findall(r"([\d.]+) %", told)]
    assert len(accuracies) == 2 and min(accuracies) > 30


def test_the_script_of_the_readme_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    data = torch.utils.data.TensorDataset(torch.randn(40, 1, 4, 4), torch.arange(40) % 4)
    names = {"model": mlp(), "loader": torch.utils.data.DataLoader(data, batch_size=10), "epochs": 2, "torch": torch}
    exec(block("In a script of your own"), names)
    assert isinstance(names["optimizer"], SparseOptimizer)


def test_the_table_of_the_readme_has_the_means_of_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    exec(block("Read the results"), names)
    lines = summary(load(ROOT / "results" / "families"))
    lines = lines[lines["method"] != "narrow"].set_index(["task", "method", "value"])
    assert len(lines) > 100
    table = names["table"]["test_accuracy"].loc[lines.index]
    pandas.testing.assert_series_equal(table["mean"], lines["test_mean"], check_names=False)
    assert (table["size"] == lines["n"]).all()


def test_every_command_of_the_readme_is_one() -> None:
    from benchmark.experiments.registry import EXPERIMENTS

    named = set(re.findall(r"(?:sparsefront (?:run|plan|status|report)|^make) ([a-z0-9-]+)", README, re.MULTILINE))
    assert named - {"test"} <= set(EXPERIMENTS) and {"quickstart", "lenet300-fmnist"} <= named
