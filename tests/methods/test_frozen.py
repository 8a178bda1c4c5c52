"""Parameters that require no gradient are left alone, and the model says what is pruned."""

from __future__ import annotations

from typing import cast

import pytest
import torch

from benchmark.contract.stage import VALUES, results
from methods import METHODS, MethodError, SparseOptimizer, parse
from methods.core.coverage import coverage
from methods.core.network import Network
from methods.core.prunable import prunable_names
from tests.builders import batch_norm_cnn

VALUE = {"density": {"density": 0.2}, "strength": {"strength": 2.0}, "penalty": {"penalty": 0.01}, "none": {}}
X, Y = torch.randn(32, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 4


def partly_frozen(seed: int = 0) -> torch.nn.Module:
    """Return a network whose first convolution, batch norm and last bias are not trained."""
    model = batch_norm_cnn(seed)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not (name.startswith(("0.", "1.")) or name == "7.bias"))
    return model


def loss_of(model: torch.nn.Module) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(model(X), Y)


@pytest.mark.filterwarnings("ignore:.*left:UserWarning", "ignore:.*constant:UserWarning")
@pytest.mark.parametrize("form", METHODS)
def test_frozen_parameters_stay_bit_for_bit_under_every_method(form: str) -> None:
    model = partly_frozen()
    frozen = {name: p.detach().clone() for name, p in model.named_parameters() if not p.requires_grad}
    rates = [0.1] * 12
    value = VALUE[parse(form).knob] | ({"weight_decay": 0.1} if parse(form).knob == "density" else {})
    optimizer = SparseOptimizer(model, form, steps=12, lr=0.1, rates=rates, probe=lambda: loss_of(model), **value)
    before = model.get_parameter("3.weight").detach().clone()
    for _ in range(12):
        optimizer.zero_grad()
        loss_of(model).backward()
        optimizer.step()
    optimizer.finish()
    for name, value_before in frozen.items():
        assert torch.equal(model.get_parameter(name), value_before), name
        assert model.get_parameter(name).grad is None
    assert not torch.equal(model.get_parameter("3.weight"), before)
    if parse(form).knob == "density":  # the density is that of the trained weights alone
        weights = [model.get_parameter(name) for name in ("3.weight", "7.weight")]
        total = sum(weight.numel() for weight in weights)
        assert sum(int(weight.count_nonzero()) for weight in weights) == round(0.2 * total)


def test_a_frozen_weight_is_not_prunable_and_in_no_parameter_group() -> None:
    model = partly_frozen()
    assert prunable_names(model) == ["3.weight", "7.weight"]
    optimizer = SparseOptimizer(model, "dense", steps=1, lr=0.1)
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert held == {id(p) for p in model.parameters() if p.requires_grad}


def test_a_pack_of_partly_frozen_networks_trains_as_its_members_alone() -> None:
    pack, alone = Network([partly_frozen(seed) for seed in range(3)]), [Network([partly_frozen(s)]) for s in range(3)]
    for _ in range(3):
        for net in (pack, *alone):
            net.zero_grad()
            torch.stack([torch.nn.functional.cross_entropy(row, Y) for row in net.forward(X)]).sum().backward()
            with torch.no_grad():
                net.weights.sub_(net.grad, alpha=0.1)
                net.other_params.sub_(net.other_grad, alpha=0.1)
    for run, net in enumerate(alone):
        states = zip(pack.plain(run).state_dict().items(), net.model.state_dict().values(), strict=True)
        for (name, ours), theirs in states:
            torch.testing.assert_close(ours, theirs, msg=name)
        assert torch.equal(pack.plain(run).get_parameter("0.weight"), batch_norm_cnn(run).get_parameter("0.weight"))


@pytest.mark.parametrize(
    "model",
    [
        torch.nn.Embedding(4, 3),
        torch.nn.BatchNorm1d(3),
        torch.nn.Linear(4, 3).requires_grad_(False),
        torch.nn.Flatten(),
    ],
    ids=["embedding", "norm", "all frozen", "no parameters"],
)
def test_a_model_without_a_prunable_weight_is_refused(model: torch.nn.Module) -> None:
    with pytest.raises(MethodError, match="no weight to prune"):
        SparseOptimizer(model, "dwf", strength=1.0, steps=1, lr=0.1)
    with pytest.raises(MethodError, match="no weight to prune"):
        Network([model, model])


def test_parameters_instead_of_the_model_are_refused_in_one_sentence() -> None:
    model = torch.nn.Linear(4, 3)
    for given in (model.parameters(), list(model.parameters()), [{"params": model.parameters()}]):
        with pytest.raises(MethodError, match="takes the model itself"):
            SparseOptimizer(given, "dense", steps=1, lr=0.1)


def test_the_coverage_names_what_stays_dense_and_what_is_not_trained() -> None:
    model = torch.nn.ModuleDict({"words": torch.nn.Embedding(12, 8), "head": torch.nn.Linear(8, 3)})
    model["norm"] = torch.nn.LayerNorm(8)
    model["norm"].weight.requires_grad_(False)
    model["body"] = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Linear(8, 4)).requires_grad_(False)
    said = (
        "prunes 24 of 131 trained parameters; dense: words.weight (96), 2 vectors (11); not trained: body (108), "
        "norm.weight (8)"
    )
    assert coverage(model) == said
    assert SparseOptimizer(model, "dense", steps=1, lr=0.1, exclude="words").coverage == said
    assert coverage(torch.nn.Linear(2, 2, bias=False)) == "prunes 4 of 4 trained parameters"


def test_the_coverage_of_a_compiled_model_has_the_names_of_the_model() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Embedding(4, 2))
    assert coverage(cast(torch.nn.Module, torch.compile(model))) == coverage(model) and "1.weight" in coverage(model)


def test_the_coverage_names_the_largest_tensors_alone() -> None:
    model = torch.nn.ModuleList([torch.nn.Embedding(2, size) for size in range(1, 10)])
    model.append(torch.nn.Linear(2, 2, bias=False))
    model.extend([torch.nn.Linear(size, 1).requires_grad_(False) for size in range(1, 10)])
    named = ", ".join(f"{size - 1}.weight ({2 * size})" for size in range(9, 3, -1))
    frozen = ", ".join(f"{size + 9} ({size + 1})" for size in range(9, 3, -1))
    dense = f"dense: {named}, 3 more tensors (12)"
    assert coverage(model) == f"prunes 4 of 94 trained parameters; {dense}; not trained: {frozen}, 3 more tensors (9)"


@pytest.mark.parametrize("form", ["dense", "snip", "synflow[iterations=3]", "magnitude", "rigl", "dwf[init=ones]"])
def test_runs_of_a_frozen_backbone_in_a_pack_measure_what_they_measure_alone(form: str) -> None:
    """A pack stacks what is not trained, so that each run keeps the backbone of its own seed."""
    values = VALUES[parse(form).knob][:1] * 2
    together = results(form, partly_frozen, values, seeds=[0, 1], epochs=1)
    for seed, packed in enumerate(together):
        (alone,) = results(form, partly_frozen, values[:1], seeds=[seed], epochs=1)
        ours, theirs = packed.measured, alone.measured
        assert packed.layers == alone.layers and [name for name, _, _ in alone.layers] == ["3.weight", "7.weight"]
        assert (ours.prunable, ours.parameters) == (theirs.prunable, theirs.parameters) == (8 * 3 * 9 + 32 * 4, 438)
        assert (ours.test_accuracy, ours.macs_sparse) == (theirs.test_accuracy, theirs.macs_sparse)
        assert ours.test_loss == pytest.approx(theirs.test_loss, rel=1e-4)
