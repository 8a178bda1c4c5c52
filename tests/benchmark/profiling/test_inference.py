"""The benchmark of inference, at a small size: every network in every form, and ratios to the dense one."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmark import Experiment, run_experiment
from benchmark.deployment.sparse_rows import with_sparse_rows
from benchmark.errors import UsageError
from benchmark.profiling import forms, inference
from benchmark.profiling.inference import bench_inference
from benchmark.profiling.memory import processes
from benchmark.profiling.timing import measurements, timed
from benchmark.records.schema import INFERENCE_COLUMNS
from benchmark.records.table import read
from tests.processes import FORKED


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    grid = Experiment(("lenet300-digits",), ("random",), {"density": (0.1, 0.01)}, (0,), epochs=1, synthetic=True)
    return run_experiment(grid, name="mine", results=tmp_path_factory.mktemp("out"), keep_networks=True, quiet=True)


def test_measurements_alternate_after_a_turn_to_warm_up() -> None:
    called: list[str] = []

    def turn(name: str) -> float:
        called.append(name)
        return float(len(called))

    measured = measurements({"a": lambda: turn("a"), "b": lambda: turn("b")}, 2)
    assert called == ["a", "b", "a", "b", "b", "a"] and measured == {"a": [3, 6], "b": [4, 5]}


def test_a_turn_takes_the_mean_of_its_steps_by_the_given_clock() -> None:
    seconds = iter([10.0, 16.0])
    assert timed(lambda: None, 3, "cpu", lambda: next(seconds))() == 2000


def test_every_kept_network_is_timed_in_every_form(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(inference, "cores", lambda: 1)
    monkeypatch.setattr(forms, "find_spec", lambda name: None)  # ONNX Runtime is not installed
    monkeypatch.setattr(inference, "processes", lambda: nullcontext(lambda form, x, threads: len(x) + 0.5))
    before = torch.get_num_threads()
    bench_inference(folder, seconds=0.001, batches=(1, 3))
    assert torch.get_num_threads() == before
    rows = read(folder / "inference.csv", INFERENCE_COLUMNS)
    assert len(rows) == 2 * 2 * 3 and {row["form"] for row in rows} == {"dense", "compact", "csr"}
    for row in rows:
        assert float(row["ms_low"]) <= float(row["ms"]) <= float(row["ms_high"]) and row["hardware"]
        assert row["form"] != "dense" or float(row["speedup"]) == 1
        assert row["task"] == "lenet300-digits" and row["value"] in ("0.1", "0.01") and row["seed"] == "0"
        assert float(row["memory_mb"]) == int(row["batch"]) + 0.5 and row["runtime"] == f"torch {torch.__version__}"
    said = capsys.readouterr()
    assert "times fewer multiply-adds" in " ".join(said.out.split()) and "pip install 'sparsefront[onnx]'" in said.err
    bench_inference(folder, seconds=0.001, batches=(1,), threads_of=(2,))
    assert read(folder / "inference.csv", INFERENCE_COLUMNS)[: len(rows)] == rows  # nothing measured is lost


def test_networks_and_forms_that_cannot_be_timed_are_left_out_with_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (row["key"] for row in read(folder / "runs.csv"))
    (folder / "networks" / f"{first}.safetensors").write_text("no network")

    def refuse(*_: object) -> nn.Module:
        raise UsageError("it cannot be traced")

    monkeypatch.setattr(forms, "compact", refuse)
    monkeypatch.setattr(forms, "find_spec", lambda name: None)
    monkeypatch.setattr(inference, "processes", lambda: nullcontext(lambda form, x, threads: 0.0))
    rows = bench_inference(folder, seconds=0.001, batches=(5000,), threads_of=(1,))  # more than there are examples
    assert [(row[0], row[5], row[6]) for row in rows] == [(second, "dense", 5000), (second, "csr", 5000)]
    said = capsys.readouterr().err
    assert f"{first} is left out: " in said and f"{second} has no form compact: it cannot be traced" in said


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
def test_memory_is_that_of_the_weights_and_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    # One server forks the processes of all tests; without what they preload, each would import it for seconds.
    monkeypatch.setattr(FORKED, "set_forkserver_preload", lambda modules: None)
    model = nn.Sequential(nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1)).eval()  # 64 MB
    nn.init.zeros_(model.get_parameter("0.weight"))
    with processes() as memory_of:
        dense, sparse = (memory_of(form, torch.ones(1, 4096), 1) for form in (model, with_sparse_rows(model)))
        batch = memory_of(model, torch.ones(2048, 4096), 1)  # 32 MB of activations
    assert 64 <= dense < 80 and 0 <= sparse < 16 and dense + 28 < batch < dense + 80


def test_a_folder_without_networks_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no networks; `sparsefront run EXPERIMENT --keep-networks`"):
        bench_inference(tmp_path, 1.0)
