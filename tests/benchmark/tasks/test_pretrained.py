"""Tasks that start from a file of pretrained weights, whole or with a frozen backbone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmark.contract.stage import batch_norm_cnn, toy_data, toy_task
from benchmark.errors import UsageError
from benchmark.tasks.pretrained import pretrained
from benchmark.tasks.registry import canonical_task, get_task
from benchmark.training.loop import train
from methods.core.registry import parse


def saved(folder: Path, model: nn.Module, name: str = "weights.pt") -> str:
    torch.save({"state_dict": model.state_dict()}, folder / name)
    return str(folder / name)


def test_a_network_starts_from_the_file_and_another_head_from_initial_weights(tmp_path: Path) -> None:
    given = batch_norm_cnn(5)
    given[-1] = nn.Linear(32, 9)  # nine classes, not four
    task = pretrained(toy_task(batch_norm_cnn), saved(tmp_path, given), "none")
    model = task.model()
    assert torch.equal(model.get_parameter("3.weight"), given.get_parameter("3.weight"))
    assert model.get_parameter("7.weight").shape == (4, 32)
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("form", ["gmp", "magnitude[finetune=0]", "dwf"])
def test_a_frozen_backbone_stays_as_it_is_and_the_head_alone_is_counted(form: str, tmp_path: Path) -> None:
    given = batch_norm_cnn(5)
    given.get_buffer("1.running_mean").fill_(0.3)
    task = pretrained(toy_task(batch_norm_cnn), saved(tmp_path, given), "backbone")
    made: list[nn.Module] = []
    built = task.model

    def build() -> nn.Module:
        made.append(built())
        return made[-1]

    task = replace(task, model=build)
    value = 2.0 if form == "dwf" else 0.25
    (result,) = train(task, parse(form), [value], [0], 2, 0.1, toy_data(), "float32")
    assert result.measured.prunable == 128 and [layer[0] for layer in result.layers] == ["7.weight"]
    assert form == "dwf" or result.measured.nonzeros == 32
    trained = made[-1].state_dict()
    assert not torch.equal(trained["7.weight"], given.state_dict()["7.weight"])
    for name, value in given.state_dict().items():
        if not name.startswith("7."):
            assert torch.equal(trained[name], value), name


def test_another_file_is_another_version_of_the_task(tmp_path: Path) -> None:
    plain = toy_task(batch_norm_cnn)
    versions = [
        pretrained(plain, saved(tmp_path, batch_norm_cnn(seed), f"{seed}.pt"), "none").version for seed in (1, 2)
    ]
    assert len({plain.version, *versions}) == 3
    assert pretrained(plain, "", "none") is plain


def test_files_that_do_not_fit_are_refused_in_one_sentence(tmp_path: Path) -> None:
    plain = toy_task(batch_norm_cnn)
    other = nn.Sequential(nn.Conv2d(1, 5, 3))
    (tmp_path / "text.pt").write_text("no weights")
    for weights, frozen, said in (
        (str(tmp_path / "none.pt"), "none", "there is no file"),
        (str(tmp_path / "text.pt"), "none", r"holds no weights by name \(no state dict\); save model.state_dict\(\)"),
        (
            saved(tmp_path, nn.Sequential(plain.model()), "deep.pt"),
            "none",
            "there; the first weight there is 0.0.w",
        ),
        (saved(tmp_path, other), "none", r"0.weight of shape \(6, 1, 3, 3\) has the shape \(5, 1, 3, 3\) there"),
        ("", "backbone", "give weights=FILE"),
    ):
        with pytest.raises(UsageError, match=said):
            pretrained(plain, weights, frozen)  # type: ignore[arg-type]


def test_networks_of_a_library_take_the_file_as_an_option(tmp_path: Path) -> None:
    name = "torchvision:mobilenet_v3_small-cifar10"
    model = get_task(name).model()
    from safetensors.torch import save_file

    save_file(model.state_dict(), tmp_path / "net.safetensors")
    written = f"{name}[weights={tmp_path / 'net.safetensors'},frozen=backbone]"
    assert canonical_task(written) == written and canonical_task(name) == name
    made = get_task(written).model()
    assert {n for n, p in made.named_parameters() if p.requires_grad} == {"classifier.3.weight", "classifier.3.bias"}
    assert torch.equal(made.get_parameter("classifier.3.weight"), model.get_parameter("classifier.3.weight"))
