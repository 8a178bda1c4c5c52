"""Packs: the runs that are trained together, and the rows of packs that run out of memory or time."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from benchmark.contract.method_promises import gives_in_a_pack_what_it_gives_alone
from benchmark.contract.stage import mlp, toy_data
from benchmark.engines import packs
from benchmark.engines.packs import fitting, make_packs
from benchmark.engines.worker import Worker
from benchmark.experiments.run import Run
from benchmark.sweep.sweep import sweep
from benchmark.tasks.registry import get_task
from benchmark.tasks.task import Task
from benchmark.training import loop
from benchmark.training.loop import train
from benchmark.training.measure import Result
from methods.core.base import Method
from methods.core.network import Network
from methods.core.optimizers import Adam
from methods.core.registry import METHODS, MethodError, parse
from tests.builders import GRID, QUIET, SETTINGS, rows, toy_task

MANY = replace(
    GRID,
    methods=("dense", "snip", "dwf"),
    values={"density": (0.5, 0.2, 0.1, 0.05, 0.02), "strength": (2.0, 4.0)},
    seeds=(0, 1),
)


def test_runs_of_a_pack_differ_only_in_value_seed_and_learning_rate() -> None:
    runs = MANY.runs()
    made = make_packs(runs, replace(SETTINGS, pack=3))
    assert Counter(run for pack in made for run in pack) == Counter(runs)
    assert list(map(len, made)) == [2, 3, 3, 3, 1, 3, 1]  # dense; snip, ten; dwf, four
    for pack in made:
        assert len({replace(run, value=0.0, seed=0) for run in pack}) == 1
    assert make_packs(runs, SETTINGS) == [[run] for run in runs]
    cuda = replace(SETTINGS, device="cuda")
    assert list(map(len, make_packs(runs, cuda))) == [2, 10, 4]
    assert list(map(len, make_packs(runs[:1] * 9, cuda, workers=4))) == [3, 3, 3]  # a share for each worker


def test_packed_runs_have_the_same_rows_as_single_runs(tmp_path: Path) -> None:
    runs = MANY.runs()
    sweep("test", runs, tmp_path / "packed", replace(SETTINGS, pack=7), 1, QUIET)
    sweep("test", runs, tmp_path / "alone", SETTINGS, 1, QUIET)
    packed, alone = rows(tmp_path / "packed"), rows(tmp_path / "alone")
    assert [row["pack"] for row in packed] == ["2"] * 2 + ["7"] * 7 + ["3"] * 3 + ["4"] * 4
    assert {row["pack"] for row in alone} == {"1"}
    lone = {row["key"]: row for row in alone}
    assert len(lone) == len(packed) == len(runs)
    for one in packed:
        other = lone[one["key"]]
        assert one["seed"] == other["seed"]
        assert float(one["test_loss"]) == pytest.approx(float(other["test_loss"]), rel=1e-3, abs=1e-6)
        assert (one["method"] != "snip") or one["nonzeros"] == other["nonzeros"]


def test_a_pack_has_one_seed_if_its_network_draws_random_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    task, settings = get_task("lenet300-digits"), replace(SETTINGS, pack=5)
    runs = [run for run in MANY.runs() if run.method == "snip"][4:7]
    assert [run.seed for run in runs] == [0, 1, 1]

    def sizes(model: Callable[[], torch.nn.Module]) -> list[int]:
        monkeypatch.setattr(packs, "get_task", lambda name: replace(task, model=model))
        return list(map(len, make_packs(runs, settings)))

    assert sizes(task.model) == [3]
    assert sizes(lambda: torch.nn.Sequential(task.model(), torch.nn.Dropout(0.1))) == [1, 2]
    assert sizes(lambda: torch.nn.Linear(3, 3)) == [3]  # does not fit the data, which training will say


def short_of_memory(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Let training fail for packs of more than `most` runs, and return the list of the sizes that are tried."""
    tried: list[int] = []
    original = packs.train

    def train(task: Any, method: Any, values: list[float], *arguments: Any) -> Any:
        tried.append(len(values))
        if len(values) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(task, method, values, *arguments)

    monkeypatch.setattr(packs, "train", train)
    return tried


def test_an_error_of_a_worker_that_is_being_stopped_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(SETTINGS)

    def train(*arguments: Any) -> Any:
        worker.stop.set()
        raise RuntimeError("DataLoader worker is killed by signal: Terminated")

    monkeypatch.setattr(packs, "train", train)
    with pytest.raises(KeyboardInterrupt):
        list(packs.compute(MANY.runs()[:1], worker))


def test_a_pack_that_does_not_fit_is_halved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [run for run in MANY.runs() if run.method == "snip" and run.seed == 0]
    tried = short_of_memory(monkeypatch, 2)
    assert sweep("test", runs, tmp_path, replace(SETTINGS, pack=5), 1, QUIET) == {"ok": 5}
    assert tried == [5, 3, 2, 1, 2]
    assert [row["pack"] for row in rows(tmp_path)] == ["2", "2", "1", "2", "2"]
    assert [row["key"] for row in rows(tmp_path)] == [run.key for run in runs]


class Recurrent(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = torch.nn.GRU(8, 6, batch_first=True), torch.nn.Linear(6, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.rnn(x.squeeze(1))[0][:, -1])
        return logits


def test_runs_of_a_network_that_vmap_cannot_pack_train_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, runs = get_task("lenet300-digits"), [run for run in MANY.runs() if run.method == "dense"]
    monkeypatch.setattr(packs, "get_task", lambda name: replace(task, model=Recurrent))
    console = Console(file=(said := io.StringIO()))
    assert sweep("test", runs, tmp_path, replace(SETTINGS, pack=2), 1, console) == {"ok": 2}
    assert [row["pack"] for row in rows(tmp_path)] == ["1", "1"]
    assert said.getvalue().count("warning: dense on lenet300-digits trained alone, because its pack failed") == 2


def test_a_run_that_fails_alone_as_well_is_a_row_and_the_others_of_its_pack_train(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = packs.train

    def failing(task: Task, method: Method, values: list[float], *rest: Any) -> list[Result]:
        if 0.1 in values:
            raise ValueError("no tenth")
        return original(task, method, values, *rest)

    monkeypatch.setattr(packs, "train", failing)
    runs = [Run("lenet300-digits", "snip", value, 0, 1, 0.1, synthetic=True) for value in (0.5, 0.1)]
    assert sweep("test", runs, tmp_path, replace(SETTINGS, pack=2), 1, QUIET) == {"ok": 1, "error": 1}
    assert {row["value"]: (row["status"], row["pack"]) for row in rows(tmp_path)} == {
        "0.5": ("ok", "1"),
        "0.1": ("error", "1"),
    }


def test_a_method_that_trains_alone_is_in_no_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(METHODS["snip"], "packs", False, raising=False)
    monkeypatch.setattr(METHODS["l1"], "packs", False, raising=False)
    runs = [
        Run("lenet300-digits", form, value, 0, 1, 0.1)
        for form in ("snip", "ham[mask=snip]", "l1")
        for value in (0.5, 0.1)
    ]
    for settings in (SETTINGS, replace(SETTINGS, pack=2)):
        assert make_packs(runs, settings) == [[run] for run in runs]
    with pytest.raises(MethodError, match="snip trains one run at a time, not 2 together"):
        train(toy_task(), parse("snip"), [0.5, 0.1], [0, 0], 1, 0.1, toy_data(), "float32")
    gives_in_a_pack_what_it_gives_alone("snip", mlp)  # promises nothing


def test_a_network_that_fails_alone_has_a_row_for_each_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task, runs = get_task("lenet300-digits"), [run for run in MANY.runs() if run.method == "dense"]
    monkeypatch.setattr(packs, "get_task", lambda name: replace(task, model=lambda: torch.nn.Linear(3, 3)))
    assert sweep("test", runs, tmp_path, replace(SETTINGS, pack=2), 1, QUIET) == {"error": 2}
    assert [row["pack"] for row in rows(tmp_path)] == ["1", "1"]


def test_a_single_run_that_does_not_fit_is_a_row_with_status_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = MANY.runs()[:2]
    short_of_memory(monkeypatch, 0)
    assert sweep("test", runs, tmp_path, SETTINGS, 1, QUIET) == {"memory": 2}
    assert {row["error"] for row in rows(tmp_path)} == {"OutOfMemoryError: CUDA out of memory"}


@pytest.mark.parametrize(
    ("fail", "status"),
    [
        (lambda: torch.empty(2**60), "memory"),  # more than any processor can allocate
        (lambda: broken("MPS backend out of memory (MPS allocated: 5 GB)"), "memory"),
        (lambda: broken("shapes differ"), "error"),
    ],
    ids=["cpu", "mps", "another error"],
)
def test_a_failed_allocation_on_any_device_counts_as_out_of_memory(
    fail: Callable[[], object], status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "train", lambda *arguments: fail())
    assert sweep("test", MANY.runs()[:1], tmp_path, SETTINGS, 1, QUIET) == {status: 1}


def broken(message: str) -> None:
    raise RuntimeError(message)


def test_a_run_past_its_timeout_is_a_row_and_resumes_with_more_time(tmp_path: Path) -> None:
    runs = [run for run in MANY.runs() if run.seed == 0][:2]
    hasty = replace(SETTINGS, timeout=1e-6)
    assert sweep("test", runs, tmp_path, hasty, 1, QUIET) == {"timeout": 2}
    assert {row["error"] for row in rows(tmp_path)} == {"not done after 1e-06 s"}
    assert len(list((tmp_path / "checkpoints").glob("*.pt"))) == 2
    assert sweep("test", runs, tmp_path, SETTINGS, 1, QUIET) == {}
    assert sweep("test", runs, tmp_path, SETTINGS, 1, QUIET, retry=True) == {"ok": 2}
    assert [row["status"] for row in rows(tmp_path)] == ["timeout", "timeout", "ok", "ok"]
    assert not (tmp_path / "checkpoints").exists()


def test_the_pack_size_equals_the_one_worked_out_by_hand() -> None:
    """900 of 1000 MB may be used: the first run takes 300 MB and each further run 100 MB."""
    assert fitting(1000, 300, 400) == 7
    assert fitting(310, 300, 400) == 1  # at least one is tried
    assert fitting(1000, 300, 300) > 10**6  # what takes nothing sets no limit


@pytest.mark.parametrize("form", ["magnitude[finetune=0]", "l1", "powerprop[finetune=0]"])
def test_methods_that_cut_at_the_end_train_once_for_all_densities(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [Run("lenet300-digits", form, value, seed, 2, 0.1) for value in (0.5, 0.1) for seed in (0, 1)]
    assert [[run.value for run in pack] for pack in make_packs(runs, SETTINGS)] == [[0.5, 0.1], [0.5, 0.1]]
    steps: list[int] = []
    original = loop.backward

    def counted(net: Network, *rest: Any) -> torch.Tensor:
        steps.append(net.runs)
        return original(net, *rest)

    monkeypatch.setattr(loop, "backward", counted)
    together = train(toy_task(), parse(form), [0.5, 0.1, 0.2], [0, 0, 1], 2, 0.1, toy_data(), "float32")
    assert steps == [2] * 40
    for result, value, seed in zip(together, (0.5, 0.1, 0.2), (0, 0, 1), strict=True):
        (alone,) = train(toy_task(), parse(form), [value], [seed], 2, 0.1, toy_data(), "float32")
        assert result.layers == alone.layers and result.measured.steps == alone.measured.steps == 40
        assert result.measured.test_loss == pytest.approx(alone.measured.test_loss, rel=1e-5)
        assert [point[:2] for point in result.curves] == [point[:2] for point in alone.curves]
        assert [point[2] for point in result.curves] == pytest.approx([point[2] for point in alone.curves], rel=1e-4)
    assert [result.measured.pack for result in together] == [3, 3, 3]


@pytest.mark.parametrize("form", ["dwf", "dwf[by=penalty]", "str", "prox-lq", "ham", "rigl", "adam"])
def test_runs_of_different_learning_rates_train_together_as_alone(form: str) -> None:
    task = toy_task(optimizer=Adam()) if form == "adam" else toy_task()
    method = parse("dwf[by=penalty]" if form == "adam" else form)
    value = 0.3 if method.knob == "density" else 0.001 if method.knob == "penalty" else 1.5
    runs = [Run("lenet300-digits", str(method), value, 0, 2, lr) for lr in (0.05, 0.2)]
    assert make_packs(runs, replace(SETTINGS, pack=2)) == [runs]
    together = train(task, method, [value] * 2, [0, 0], 2, [0.05, 0.2], toy_data(), "float32")
    assert together[0].measured.test_loss != together[1].measured.test_loss
    for result, learning_rate in zip(together, (0.05, 0.2), strict=True):
        (alone,) = train(task, method, [value], [0], 2, learning_rate, toy_data(), "float32")
        assert result.layers == alone.layers
        assert result.measured.test_loss == pytest.approx(alone.measured.test_loss, rel=1e-4)


def test_runs_of_different_budgets_do_not_train_together() -> None:
    runs = [Run("lenet300-digits", "imp", value, seed, 2, 0.1) for seed in (0, 1) for value in (0.5, 0.45, 0.1)]
    packs = make_packs(runs, replace(SETTINGS, pack=8))
    assert [[run.value for run in pack] for pack in packs] == [[0.5, 0.45, 0.5, 0.45], [0.1, 0.1]]
    with pytest.raises(MethodError, match=r"runs of imp at density 0\.5, 0\.1 take different budgets"):
        train(toy_task(), parse("imp"), [0.5, 0.1], [0, 0], 1, 0.1, toy_data(), "float32")
