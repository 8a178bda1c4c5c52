"""The whole path from a command to fronts and leaderboards, on real data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmark.data.in_memory import DEBIAN_FASHION_MNIST
from benchmark.records.table import read
from tests.builders import sparsefront


@pytest.mark.slow
def test_digits_are_trained_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    grid = ["--values", "density=0.5,0.1", "--values", "strength=3.5,8", "--seeds", "0"]
    methods = ["--methods", "dense,magnitude,snip,random,dwf[depth=3,threshold=1e-4]"]
    where = ["--results", str(tmp_path)]
    settings = ["--epochs", "15", "--workers", "1"]
    assert sparsefront(monkeypatch, "run", "quickstart", *methods, *grid, *where, *settings) == 0
    assert sparsefront(monkeypatch, "report", "quickstart", *where) == 0
    folder = tmp_path / "quickstart"
    rows = read(folder / "runs.csv")
    assert [row["status"] for row in rows] == ["ok"] * 9
    best = {row["method"]: 0.0 for row in rows}
    for row in rows:
        best[row["method"]] = max(best[row["method"]], float(row["test_accuracy"]))
        if row["knob"] == "density":
            assert int(row["nonzeros"]) == round(float(row["value"]) * int(row["prunable"]))
    assert best["dense"] > 95 and all(accuracy > 85 for accuracy in best.values())
    assert {path.name for path in (folder / "figures").iterdir()} == {
        "front-lenet300-digits.png",
        "front-lenet300-digits.svg",
    }
    assert all(method in (folder / "leaderboard.md").read_text() for method in ("dwf[depth=3]", "magnitude", "snip"))
    assert "leaderboard.md" in capfd.readouterr().out


@pytest.mark.slow
def test_fashion_mnist_is_trained_and_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path(os.environ.get("SPARSEFRONT_DATA", "data"))
    if not (DEBIAN_FASHION_MNIST.is_dir() or (here / "FashionMNIST" / "raw").is_dir()):
        pytest.skip("needs Fashion-MNIST: Debian's package dataset-fashion-mnist, or a folder in SPARSEFRONT_DATA")
    arguments = ["--methods", "dense,snip,dwf[depth=3]", "--seeds", "0", "--epochs", "2", "--workers", "1"]
    values = ["--values", "density=0.1", "--values", "strength=1"]
    assert sparsefront(monkeypatch, "run", "lenet300-fmnist", *arguments, *values, "--results", str(tmp_path)) == 0
    assert sparsefront(monkeypatch, "report", "lenet300-fmnist", "--results", str(tmp_path)) == 0
    rows = read(tmp_path / "lenet300-fmnist" / "runs.csv")
    assert [(row["prunable"], row["steps"], row["status"]) for row in rows] == [("266200", "420", "ok")] * 3
    accuracy = {row["method"]: float(row["test_accuracy"]) for row in rows}
    assert accuracy["dense"] > 80 and accuracy["snip"] > 75 and accuracy["dwf[depth=3]"] > 50
