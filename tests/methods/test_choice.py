"""The choice of a script: parameters that it prunes as well, and parameters that stay dense."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import nn

from methods import MethodError, SparseOptimizer
from methods.core.prunable import prunable_names
from tests.builders import ROOT


def reader() -> nn.ModuleDict:
    """Return a model with an embedding, two linear modules in a body, a norm and a head."""
    body = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6))
    return nn.ModuleDict({"words": nn.Embedding(50, 6), "body": body, "norm": nn.LayerNorm(6), "head": nn.Linear(6, 3)})


BODY = ["body.0.weight", "body.1.weight"]
DEFAULT = [*BODY, "head.weight"]


def choose(model: nn.Module, **choice: Any) -> list[str]:
    optimizer = SparseOptimizer(model, "random", density=0.5, steps=1, lr=0.1, **choice)
    return [layer.name for layer in optimizer.net.layers]


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        ("head", BODY),
        ("head.weight", BODY),
        ("body", ["head.weight"]),
        ("body.*", ["head.weight"]),
        ("*.1.weight", ["body.0.weight", "head.weight"]),
        (["head", "body.1"], ["body.0.weight"]),
        (("norm", "*.bias"), DEFAULT),
        (lambda name, parameter: parameter.shape[0] == 3, BODY),
        (lambda name, parameter: False, DEFAULT),
    ],
)
def test_parameters_are_excluded_by_name_and_by_predicate(exclude: Any, left: list[str]) -> None:
    assert choose(reader(), exclude=exclude) == left


@pytest.mark.parametrize(
    ("include", "added"),
    [
        ("words", ["words.weight"]),
        ("w*", ["words.weight"]),
        (nn.Embedding, ["words.weight"]),
        (lambda name, parameter: name.startswith("words"), ["words.weight"]),
        ("norm.weight", ["norm.weight"]),  # a vector is chosen by its own name
        ("body", []),  # its matrices are pruned already, and its biases are not chosen by the module
        ("*", ["words.weight"]),
    ],
)
def test_parameters_are_included_by_name_class_and_predicate(include: Any, added: list[str]) -> None:
    assert set(choose(reader(), include=include)) == {*DEFAULT, *added}


def test_parameters_are_chosen_by_the_module_and_by_themselves() -> None:
    model = reader()
    left = [model.get_submodule("body.0"), model.get_parameter("head.weight")]
    assert choose(model, include=model["words"], exclude=left) == ["words.weight", "body.1.weight"]
    assert choose(model, include=[model["words"].weight], exclude=nn.Sequential) == ["words.weight", "head.weight"]
    assert choose(model, exclude=list(model["head"].named_parameters())) == BODY


def test_what_is_excluded_stays_dense_even_if_it_is_included() -> None:
    assert choose(reader(), include="*", exclude=lambda name, parameter: not name.startswith("body")) == BODY


def test_a_shared_weight_is_chosen_by_each_of_its_names() -> None:
    model = nn.ModuleDict({"words": nn.Embedding(5, 4), "body": nn.Linear(4, 4), "head": nn.Linear(4, 5, bias=False)})
    model["head"].weight = model["words"].weight
    for include in ("words", "head", "head.weight", model["head"]):
        assert choose(model, include=include) == ["words.weight", "body.weight"]


def test_an_included_embedding_ends_at_the_density_and_trains() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(20, 6), nn.Flatten(), nn.Linear(18, 3))
    x, y = torch.arange(60).view(20, 3) % 20, torch.arange(20) % 3
    optimizer = SparseOptimizer(
        model, "magnitude", density=0.2, steps=40, lr=0.5, include=nn.Embedding, rates=[0.5] * 40
    )
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    optimizer.finish()
    words, head = (int(model.get_parameter(name).count_nonzero()) for name in ("0.weight", "2.weight"))
    assert words + head == round(0.2 * (120 + 54)) and 0 < words < 120
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"exclude": "haed"}, "exclude='haed' chooses no parameter of the model; near it are head"),
        ({"exclude": "bodi.0"}, "near it are body.0"),
        ({"include": "embedding"}, "include='embedding' chooses no trained parameter of two or more dimensions"),
        ({"include": nn.Conv2d}, "include has a Conv2d that chooses no trained parameter"),
        ({"exclude": nn.Linear(2, 2)}, "exclude has a Linear that chooses no parameter of the model"),
        ({"include": "norm"}, "chooses no trained parameter of two or more dimensions"),
        ({"exclude": [1]}, "a choice is a name, a module, .*, not 1"),
        ({"exclude": "*"}, "no weight to prune"),
    ],
)
def test_a_choice_of_nothing_is_refused_in_one_sentence(choice: dict[str, Any], said: str) -> None:
    with pytest.raises(MethodError, match=said):
        choose(reader(), **choice)


def test_names_in_a_compiled_model_are_those_of_the_model() -> None:
    compiled: Any = torch.compile(reader()["body"])
    model = nn.Sequential(compiled, nn.Linear(6, 3))
    assert choose(model, exclude="0.0") == ["0._orig_mod.1.weight", "1.weight"]
    assert choose(model, exclude=["0._orig_mod.1", "1"], include="0.1.bias") == ["0._orig_mod.0.weight"]
    with pytest.raises(MethodError, match=r"near it are 0\.1"):
        choose(model, exclude="0.11")


def test_the_transformer_of_the_page_has_the_coverage_that_the_page_says() -> None:
    section = (ROOT / "docs" / "scripts.md").read_text(encoding="utf-8").partition("## A transformer\n")[2]
    code = section.partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {"torch": torch, "nn": nn, "SparseOptimizer": SparseOptimizer}
    exec(code, names)
    assert f"# {names['optimizer'].coverage}\n" in code


def test_a_frozen_parameter_is_not_included() -> None:
    model = reader()
    model["words"].requires_grad_(False)
    with pytest.raises(MethodError, match="include='words' chooses no trained parameter"):
        prunable_names(model, include="words")
    assert prunable_names(model, include="*") == DEFAULT


def test_a_warning_says_that_most_parameters_stay_dense_unless_they_were_chosen() -> None:
    with pytest.warns(UserWarning, match=r"random prunes 90 of 417 trained parameters; dense: words.weight \(300\)"):
        choose(reader())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        choose(reader(), include="words")
        choose(reader(), exclude="words")
        choose(nn.Linear(4, 3))


def test_the_printed_optimizer_says_what_is_pruned() -> None:
    optimizer = SparseOptimizer(nn.Linear(4, 3), "random", density=0.5, steps=1, lr=0.1)
    assert repr(optimizer).endswith("random prunes 12 of 15 trained parameters; dense: 1 vector (3)")
