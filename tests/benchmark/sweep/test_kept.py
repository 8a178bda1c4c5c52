"""`--keep-networks` writes final networks, and `load_run` rebuilds them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmark import Experiment, load_run, run_experiment
from benchmark.errors import UsageError
from benchmark.tasks.loading import load_data
from tests.builders import rows, sparsefront

GRID = Experiment(("lenet300-digits",), ("magnitude",), {"density": (0.5, 0.01)}, seeds=(0,), epochs=1)


def test_a_kept_network_is_the_one_that_was_measured(tmp_path: Path) -> None:
    folder = run_experiment(GRID, name="mine", results=tmp_path, keep_networks=True, quiet=True)
    for row in rows(folder):
        assert (folder / "networks" / f"{row['key']}.safetensors").stat().st_size == int(row["file_bytes"])
        model, task = load_run(row["key"], tmp_path)
        x, y = load_data(task, Path("data")).test
        accuracy = 100 * (model(x[: len(y)]).argmax(1) == y).double().mean()
        assert float(accuracy) == pytest.approx(float(row["test_accuracy"]))
        assert sum(int(p.count_nonzero()) for p in model.parameters() if p.dim() > 1) == int(row["nonzeros"])


def test_without_the_option_rows_have_the_size_and_no_network_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--methods", "magnitude", "--values", "0.1", "--seeds", "0", "--results", str(tmp_path)]
    assert sparsefront(monkeypatch, "run", "quickstart", "--tier", "smoke", *options) == 0
    (row,) = rows(tmp_path / "quickstart-smoke")
    assert int(row["file_bytes"]) > 0 and not (tmp_path / "quickstart-smoke" / "networks").exists()
    with pytest.raises(UsageError, match="was not kept"):
        load_run(row["key"], tmp_path)
    with pytest.raises(UsageError, match="has the key 'abc'"):
        load_run("abc", tmp_path)


def test_the_option_without_safetensors_is_one_sentence_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmark.cli.running.find_spec", lambda name: None)
    options = ["--tier", "smoke", "--keep-networks", "--results", str(tmp_path / "out")]
    assert sparsefront(monkeypatch, "run", "quickstart", *options) == 2
    assert "pip install safetensors" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_a_command_keeps_networks_from_worker_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--methods", "magnitude", "--values", "0.1,0.2", "--seeds", "0", "--workers", "2"]
    options += ["--keep-networks", "--results", str(tmp_path)]
    assert sparsefront(monkeypatch, "run", "quickstart", "--tier", "smoke", *options) == 0
    keys = {row["key"] for row in rows(tmp_path / "quickstart-smoke")}
    assert {path.stem for path in (tmp_path / "quickstart-smoke" / "networks").iterdir()} == keys
    state = torch.random.get_rng_state()
    for key in keys:
        load_run(key, tmp_path)
    assert torch.equal(state, torch.random.get_rng_state())
