"""Data that are not what the task declares are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from benchmark.api import train_once
from benchmark.data.objective import Regression
from benchmark.data.split import Data
from benchmark.errors import UsageError
from benchmark.tasks.loading import check_network, load_data
from tests.builders import sparsefront, toy_task

LABELS = torch.arange(90) % 4


def data(
    train: torch.Tensor = LABELS, val: int = 10, shape: tuple[int, ...] = (1, 4, 4), kind: torch.dtype | None = None
) -> Data:
    splits = (train, LABELS[:val], LABELS[:20])
    return Data.in_memory(*((torch.rand(len(labels), *shape).to(kind), labels) for labels in splits))


@pytest.mark.parametrize(
    ("loaded", "said"),
    [
        (data(LABELS[:40]), "has 40 training examples, and the task declares 90"),
        (data(val=0), "the val split of the data set birds has no example"),
        (data(shape=(3, 4, 4)), r"inputs of shape \(3, 4, 4\), and the task declares \(1, 4, 4\)"),
        (data(LABELS + 1), "labels from 1 to 4, and the task declares classes 0 to 3"),
        (data(LABELS - 1), "labels from -1 to 2"),
    ],
)
def test_other_data_than_the_declared_are_refused(loaded: Data, said: str) -> None:
    task = toy_task(data=lambda folder: loaded, shape=(1, 4, 4), examples=90, dataset="birds")
    with pytest.raises(UsageError, match=said):
        load_data(task, Path())


@pytest.mark.parametrize(
    ("loaded", "recipe", "said"),
    [
        ((torch.rand(9, 4), LABELS), {}, "the data function returns tuple, and no Data, which data.split makes"),
        (None, {}, "the data function returns NoneType, and no Data"),
        (data(kind=torch.int64), {}, "has inputs of type torch.int64, and the task declares no vocabulary"),
        (data(kind=torch.float64), {}, "of type torch.float64"),
        (data(), {"vocabulary": 9}, "of type torch.float32, and the task declares tokens of type torch.int64"),
    ],
)
def test_data_of_another_type_are_refused(loaded: Any, recipe: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load_data(toy_task(data=lambda folder: loaded, examples=90, **recipe), Path())


def test_the_declared_data_are_returned() -> None:
    recipe: dict[str, Any] = {"shape": (1, 4, 4), "examples": 90}
    one = data()
    assert load_data(toy_task(data=lambda folder: one, **recipe), Path()) is one
    single = data(torch.cat([LABELS, torch.tensor([4])]))  # the only example of its class is never held out
    assert load_data(toy_task(data=lambda folder: single, classes=5, **recipe), Path()) is single


@pytest.mark.parametrize(
    ("model", "recipe", "said"),
    [
        (lambda _: nn.Sequential(nn.Flatten(), nn.Linear(16, 5)), {}, r"an output of shape \(2, 5\), not \(2, 4\)"),
        (
            lambda _: nn.Sequential(nn.Flatten(), nn.Linear(16, 1)),
            {"objective": Regression()},
            r"\(2, 1\), not \(2, 4\)",
        ),
        (lambda _: nn.Sequential(nn.Flatten(), nn.LazyLinear(4)), {}, r"1\.weight has no values yet; run a batch"),
        (lambda _: None, {}, "the model function returns NoneType, and no torch.nn.Module"),
        (lambda _: nn.LSTM(4, 4), {"shape": (4, 4)}, r"the network returns tuple, and no tensor of shape \(2, 4\)"),
    ],
)
@pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")
def test_networks_with_other_outputs_than_declared_are_refused(model: Any, recipe: dict[str, Any], said: str) -> None:
    task = toy_task(model, **recipe)
    state = torch.get_rng_state()
    with pytest.raises(UsageError, match=said):
        check_network(task)
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(UsageError, match=said):
        train_once(task, "dense", epochs=1, synthetic=True)


@pytest.mark.parametrize(
    ("name", "last", "said"),
    [
        ("wide", "torch.nn.Linear(16, 5)", "two inputs give an output of shape"),
        (
            "unpruned",
            "torch.nn.LayerNorm(16), torch.nn.Unflatten(1, (4, 4)), torch.nn.AvgPool1d(4), torch.nn.Flatten()",
            "the model has no weight to prune",
        ),
        ("normed", "parametrizations.weight_norm(torch.nn.Linear(16, 4))", "torch computes 1.weight from other"),
    ],
)
@pytest.mark.parametrize("tier", ["full", "smoke"])
def test_a_wrong_network_ends_a_sweep_before_anything_is_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tier: str,
    name: str,
    last: str,
    said: str,
) -> None:
    plugin = tmp_path / f"{name}.py"
    plugin.write_text(
        "import torch\nfrom torch.nn.utils import parametrizations\nfrom benchmark import task\n"
        f"from benchmark.contract.stage import toy_task\n\n@task\ndef {name}_{tier}():\n    '''A toy.'''\n"
        f"    return toy_task(lambda _: torch.nn.Sequential(torch.nn.Flatten(), {last}))\n"
    )
    arguments = ("--methods", "dense", "--tier", tier, "--plugin", str(plugin), "--results", str(tmp_path / "results"))
    assert sparsefront(monkeypatch, "run", f"{name}-{tier}", *arguments) == 2
    assert f"{name}-{tier}: {said}" in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.glob("results/*/runs.csv"))
