"""Every registered method holds the contract, on a perceptron, a network with batch norm and a transformer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from benchmark.contract.mask_promises import counts_exactly_for_any_scores, keeps_pruned_weights_at_zero
from benchmark.contract.method_promises import PROMISES, Promise, architectures, counts_what_it_promises
from benchmark.contract.stage import VALUES, Build, mlp, results
from benchmark.data.batches import Batches
from benchmark.data.split import Batch
from benchmark.training import loop
from methods.core.registry import METHODS, parse
from tests.builders import dropout_mlp

# Every method is under test, in its default form or in one that comes to something sooner, and others of interest.
SHORT = {
    **{"synflow": "synflow[iterations=5]", "imp": "imp[rounds=2]", "obs": "obs[examples=20]"},
    **{name: f"{name}[threshold=0.001]" for name in ("dwf", "d-gating")},
}
DEFAULTS = [SHORT.get(name, name) for name in METHODS]  # all that is tested on the transformer
FORMS = [
    *DEFAULTS,
    "shallow[threshold=0.001]",
    "dwf[depth=1]",
    "dwf[depth=4,threshold=0.001]",
    "magnitude[finetune=0]",
    "magnitude[finetune=0.01]",
    "random[distribution=erk]",
    "random[distribution=uniform]",
    "snip[batches=3]",
    "snip[iterations=3]",
    "random[distribution=balanced]",
    "gmp[distribution=uniform]",
    "imp[rounds=1,rewind=rate]",
    "imp[rounds=1,rewind=none]",
    "rigl[interval=0.1]",
    "set[interval=0.1]",
    "control[mask=magnitude[finetune=0.01]]",
    "prox-lq[q=1/2]",
    "l1[by=penalty]",
    "pwd[p=0.5]",
    "rewa[k=3,m=0]",
    "control[mask=snip,kind=reinit]",
    "control[mask=dwf[depth=3,threshold=0.001],kind=random]",
    "ham[mask=acdc]",
    "gmp[score=lamp]",
    "iht[interval=0.1]",
    "sign-in[mask=snip]",
]
# The options of these act on one weight like on any other, so they are tested on the perceptron alone.
ELEMENTWISE = {
    "shallow[threshold=0.001]",
    "dwf[depth=1]",
    "dwf[depth=4,threshold=0.001]",
    "prox-lq[q=1/2]",
    "l1[by=penalty]",
    "pwd[p=0.5]",
    "rewa[k=3,m=0]",
    "snip[batches=3]",
    "rigl[interval=0.1]",
    "set[interval=0.1]",
    "iht[interval=0.1]",
}


MASKED = [form for form in FORMS if parse(form).knob == "density"]


def cases(promise: Promise, forms: list[str] = FORMS) -> list[Any]:
    """Return each form with each network that the promise is tested on."""
    return [
        pytest.param(form, build, id=f"{name}-{form}")
        for name, build in architectures(promise).items()
        for form in forms
        if name == "mlp" or (form in DEFAULTS if name == "transformer" else form not in ELEMENTWISE)
    ]


@pytest.mark.parametrize(
    ("promise", "form", "build"),
    [
        pytest.param(promise, *case.values, id=f"{promise.__name__}-{case.id}")
        for promise in PROMISES.values()
        if promise is not counts_what_it_promises
        for case in cases(promise)
    ],
)
def test_every_method_keeps_its_promises(promise: Promise, form: str, build: Build) -> None:
    promise(form, build)


@pytest.mark.parametrize(("form", "build"), cases(counts_what_it_promises))
def test_masks_hit_their_density_and_penalties_thin_out(form: str, build: Build) -> None:
    densities = counts_what_it_promises(form, build)
    # Five epochs are too few for the zeros of rewa, whose fixed points tests/contract/test_theory.py computes.
    thin_later = ("dwf[depth=1]", "l1[by=penalty]", "rewa", "rewa[k=3,m=0]")
    assert len(densities) == 1 or form in thin_later or densities[-1] < densities[0]


@pytest.mark.parametrize("form", FORMS)
def test_only_iterative_methods_and_controls_take_more_than_one_budget(form: str) -> None:
    budget = 3 if form == "imp[rounds=2]" else 2 if form.startswith(("imp", "control")) else 1
    assert sum(parse(form).phases) == pytest.approx(budget)


@pytest.mark.parametrize(("form", "build"), cases(keeps_pruned_weights_at_zero, MASKED))
def test_pruned_weights_are_zero_at_every_step(form: str, build: Build) -> None:
    after_training = ("l1", "magnitude[finetune=0]", "magnitude[finetune=0.01]", "wanda", "obs[examples=20]")
    assert keeps_pruned_weights_at_zero(form, build) or form in after_training  # these prune after the last step


@pytest.mark.parametrize("form", MASKED)
def test_ties_zeros_and_nan_scores_change_no_count(form: str) -> None:
    counts_exactly_for_any_scores(form, mlp)


def test_dropout_in_a_pack_equals_dropout_alone() -> None:
    packed = results("snip", dropout_mlp, VALUES["density"])
    for value, together in zip(VALUES["density"], packed, strict=True):
        (alone,) = results("snip", dropout_mlp, [value])
        assert together.measured.test_loss == pytest.approx(alone.measured.test_loss, rel=1e-4)


def test_every_method_starts_from_the_same_network_and_sees_the_same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    models: list[torch.Tensor] = []
    runs: list[list[list[torch.Tensor]]] = []  # the batches of each epoch of each run
    original_model, original_epoch = loop.initial_model, Batches.epoch

    def model(task: Any, seed: int) -> torch.nn.Module:
        built = original_model(task, seed)
        models.append(torch.cat([p.detach().flatten() for p in built.parameters()]))
        runs.append([])
        return built

    def recorded(batches: Batches, done: int = 0) -> Iterator[Batch]:
        runs[-1].append([])
        for x, y in original_epoch(batches, done):
            runs[-1][-1].append(x.clone())
            yield x, y

    monkeypatch.setattr(loop, "initial_model", model)
    monkeypatch.setattr(Batches, "epoch", recorded)
    for form in FORMS:
        results(form, mlp, VALUES[parse(form).knob][:1])
    assert all(torch.equal(other, models[0]) for other in models)
    longest = max(runs, key=len)  # some methods take more than one budget
    assert all(len(epochs) >= 2 for epochs in runs)
    for epochs in runs:
        for ours, theirs in zip(epochs, longest, strict=False):
            assert all(torch.equal(x, other) for x, other in zip(ours, theirs, strict=True))
    assert not torch.equal(longest[0][0], longest[1][0])
