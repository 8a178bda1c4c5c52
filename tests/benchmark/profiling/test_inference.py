"""The benchmark of inference, at a small size: every network in every form, and ratios to the dense one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmark import Experiment, run_experiment
from benchmark.errors import UsageError
from benchmark.profiling import inference
from benchmark.profiling.inference import bench_inference
from benchmark.profiling.timing import measurements, timed
from benchmark.records.schema import INFERENCE_COLUMNS
from benchmark.records.table import read


def test_measurements_alternate_after_a_turn_to_warm_up() -> None:
    called: list[str] = []

    def turn(name: str) -> float:
        called.append(name)
        return float(len(called))

    measured = measurements({"a": lambda: turn("a"), "b": lambda: turn("b")}, 2)
    assert called == ["a", "b"] * 3 and measured == {"a": [3, 5], "b": [4, 6]}


def test_a_turn_takes_the_mean_of_its_steps_by_the_given_clock() -> None:
    seconds = iter([10.0, 16.0])
    assert timed(lambda: None, 3, "cpu", lambda: next(seconds))() == 2000


def test_every_kept_network_is_timed_in_every_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grid = Experiment(("lenet300-digits",), ("random",), {"density": (0.1, 0.01)}, (0,), epochs=1, synthetic=True)
    folder = run_experiment(grid, name="mine", results=tmp_path, keep_networks=True, quiet=True)
    monkeypatch.setattr(inference, "cores", lambda: 1)
    monkeypatch.setattr(inference, "find_spec", lambda name: None)  # ONNX Runtime is not installed
    before = torch.get_num_threads()
    bench_inference(folder, seconds=0.001, batches=(1, 3))
    assert torch.get_num_threads() == before
    rows = read(folder / "inference.csv", INFERENCE_COLUMNS)
    assert len(rows) == 2 * 2 * 3 and {row["form"] for row in rows} == {"dense", "compact", "csr"}
    for row in rows:
        assert float(row["ms_low"]) <= float(row["ms"]) <= float(row["ms_high"]) and row["hardware"]
        assert row["form"] != "dense" or float(row["speedup"]) == 1
    assert "times fewer multiply-adds" in " ".join(capsys.readouterr().out.split())


def test_a_folder_without_networks_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no networks; `sparsefront run EXPERIMENT --keep-networks`"):
        bench_inference(tmp_path, 1.0)
