"""What every registered method has to hold, on a perceptron and on a small network with batch norm."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.data.batches import Batches
from benchmark.data.split import Data
from benchmark.training import loop
from benchmark.training.loop import train
from benchmark.training.measure import Result
from methods.control import Control
from methods.core.base import Method
from methods.core.masked import Masked
from methods.core.network import Network
from methods.core.optimizers import Sgd
from methods.core.registry import METHODS, parse
from tests.conftest import FakeProbe, mlp, toy_task

Build = Callable[[int], torch.nn.Module]
# Every method is under test, in its default form or in one that comes to something sooner, and others of interest.
SHORT = {"synflow": "synflow[iterations=5]", "imp": "imp[rounds=2]", "dwf": "dwf[threshold=0.001]"}
FORMS = [
    *(SHORT.get(name, name) for name in METHODS),
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
    "rigl[update_freq=5]",
    "set[update_freq=5]",
    "control[mask=magnitude[finetune=0.01]]",
    "prox-lq[q=1/2]",
    "control[mask=snip,kind=reinit]",
    "control[mask=dwf[depth=3,threshold=0.001],kind=random]",
    "ham[mask=acdc]",
]
VALUES = {
    "density": [0.5, 0.1, 0.03], "strength": [0.5, 2.0, 4.0], "penalty": [1e-4, 1e-2, 1e-1], "none": [1.0],
}  # fmt: skip
TIMES = ("train_seconds", "step_ms", "peak_memory_mb")


def results(form: str, build: Build, data: Data, values: list[float] | None = None, **options: Any) -> list[Result]:
    method = parse(form)
    values = values or VALUES[method.knob]
    task = toy_task(build)
    peak_lr = task.learning_rate_of(method)
    defaults = {"seeds": [0] * len(values), "epochs": 2, "peak_lr": peak_lr, "precision": "float32"}
    return train(task, method, values, data=data, **(defaults | options))  # type: ignore[arg-type]


@pytest.mark.parametrize("form", FORMS)
def test_masks_hit_their_density_and_penalties_thin_out(form: str, architecture: Build, toy_data: Data) -> None:
    knob = parse(form).knob
    epochs = 8 if knob == "strength" else 2  # in a handful of steps its lambda is too large to be stable
    measured = [result.measured for result in results(form, architecture, toy_data, epochs=epochs)]
    values = VALUES[knob]
    if knob == "density":
        for value, row in zip(values, measured, strict=True):
            assert row.nonzeros == round(value * row.prunable)  # type: ignore[operator]
    densities = [row.density for row in measured]
    assert densities == sorted(densities, reverse=True)  # type: ignore[type-var]
    assert len(values) == 1 or form == "dwf[depth=1]" or densities[-1] < densities[0]  # type: ignore[operator]
    for row in measured:
        assert row.density == row.nonzeros / row.prunable  # type: ignore[operator]
        assert row.compression == (row.prunable / row.nonzeros if row.nonzeros else math.inf)  # type: ignore[operator]


@pytest.mark.parametrize("form", FORMS)
def test_a_pack_equals_its_members_alone(form: str, architecture: Build, toy_data: Data) -> None:
    """Of two seeds. In float64, so that the tolerance tells a wrong pack from rounding that training has amplified."""
    data = Data(*((x.double(), y) for x, y in (toy_data.train, toy_data.val, toy_data.test)))

    def double(seed: int) -> torch.nn.Module:
        return architecture(seed).double()

    knob = parse(form).knob
    values = VALUES[knob] if knob != "none" else [1.0, 1.0]
    seeds = [0, 1, 0][: len(values)]
    packed = results(form, double, data, values, seeds=seeds)
    for value, seed, together in zip(values, seeds, packed, strict=True):
        (alone,) = results(form, double, data, [value], seeds=[seed])
        assert together.layers == alone.layers
        for name, expected in asdict(alone.measured).items():
            if isinstance(expected, float) and name not in TIMES:
                expected = pytest.approx(expected, rel=1e-5, abs=1e-5)
            if name not in (*TIMES, "pack"):
                assert getattr(together.measured, name) == expected, name
        for ours, theirs in zip(together.curves, alone.curves, strict=True):
            assert ours[:2] == theirs[:2]
            assert ours[2] == pytest.approx(theirs[2], rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_seed_gives_the_same_row(form: str, architecture: Build, toy_data: Data) -> None:
    value = VALUES[parse(form).knob][:1]
    (one,), (two,) = (results(form, architecture, toy_data, value) for _ in range(2))
    assert {k: v for k, v in asdict(one.measured).items() if k not in TIMES} == {
        k: v for k, v in asdict(two.measured).items() if k not in TIMES
    }
    (other,) = results(form, architecture, toy_data, value, seeds=[1])
    assert other.measured.test_loss != one.measured.test_loss


@pytest.mark.parametrize("form", FORMS)
def test_the_budget_is_the_same_number_of_steps(form: str, architecture: Build, toy_data: Data) -> None:
    """But for the methods that say that they take more."""
    budget = 3 if form == "imp[rounds=2]" else 2 if form.startswith(("imp", "control")) else 1
    value = VALUES[parse(form).knob][:1]
    (result,) = results(form, architecture, toy_data, value, epochs=5)  # so that a fifth too much would show
    assert result.measured.steps == 100 * budget


@pytest.mark.parametrize("form", FORMS)
def test_bf16_keeps_zeros_and_counts(form: str, architecture: Build, toy_data: Data) -> None:
    value = VALUES[parse(form).knob][-1]
    (result,) = results(form, architecture, toy_data, [value], precision="bf16")
    assert result.measured.status == "ok"
    if parse(form).knob == "density":
        assert result.measured.nonzeros == round(value * result.measured.prunable)  # type: ignore[operator]


def masks(method: Method | None) -> list[torch.Tensor]:
    """Return the masks [R, N] of a method and of those that it wraps, outermost first."""
    if method is None:
        return []
    held = method.retraining if isinstance(method, Control) else method
    mask = held.mask if isinstance(held, Masked) else None
    return [mask] * (mask is not None) + masks(method.inner)


MASKED = [form for form in FORMS if parse(form).knob == "density"]


@pytest.mark.parametrize("form", MASKED)
def test_pruned_weights_are_zero_at_every_step(form: str, architecture: Build, toy_data: Data) -> None:
    """Under momentum, weight decay and mixed precision, and not only at the end, where some methods prune again."""
    method = parse(form)
    update, steps = method.update, 0

    def watched(lr: torch.Tensor) -> None:
        nonlocal steps
        update(lr)
        for mask in masks(method)[:1]:
            assert not method.net.weights[~mask].any()
            steps += 1

    method.update = watched  # type: ignore[method-assign]
    task = toy_task(architecture)
    train(task, method, [0.1], [0], 2, task.learning_rate_of(method), toy_data, "bf16")
    assert steps or form in (
        "l1",
        "magnitude[finetune=0]",
        "magnitude[finetune=0.01]",
    )  # which prune after the last step


@pytest.mark.parametrize("scores", ["tied", "zero", "nan"])
@pytest.mark.parametrize("form", MASKED)
def test_ties_zeros_and_nan_scores_change_no_count(form: str, scores: str) -> None:
    net, method = Network([mlp()]), parse(form)
    net.weights.fill_({"tied": 0.1, "zero": 0.0, "nan": 0.1}[scores])
    probe = FakeProbe(net, [0.1] * 12)
    probe.made.fill_({"tied": 1.0, "zero": 0.0, "nan": math.nan}[scores])
    method.bind(net, [0.1], Sgd(), 1e-3, probe)
    for phase in range(len(method.phases)):
        method.on_phase_start(phase)
        for _ in range(4):
            net.grad.fill_(0.0)
            method.update(torch.tensor(0.1))
    method.finish()
    mask = masks(method)[0]
    assert mask.sum() == round(0.1 * mask.numel())
    assert not net.weights[~mask].any()


@pytest.mark.parametrize("form", FORMS)
def test_a_diverging_run_says_so_and_stops(form: str, architecture: Build, toy_data: Data) -> None:
    (result,) = results(form, architecture, toy_data, VALUES[parse(form).knob][:1], epochs=5, peak_lr=1e30)
    assert result.measured.status == "diverged"
    assert result.measured.error == "the training loss of epoch 1 is not finite"
    assert result.measured.steps < 100  # type: ignore[operator]
    assert result.measured.test_accuracy is None  # a NaN accuracy can win nothing where there is none


@pytest.mark.parametrize("form", FORMS)
def test_validation_and_test_data_decide_nothing(form: str, toy_data: Data) -> None:
    """With their labels and inputs replaced, the trained network is the same."""
    blind = Data(
        toy_data.train, *((torch.zeros_like(x), torch.zeros_like(y)) for x, y in (toy_data.val, toy_data.test))
    )
    value = VALUES[parse(form).knob][:1]
    (seeing,), (unseeing,) = (results(form, mlp, data, value) for data in (toy_data, blind))
    assert seeing.measured.train_loss == unseeing.measured.train_loss
    assert seeing.layers == unseeing.layers
    assert seeing.measured.test_loss != unseeing.measured.test_loss


@pytest.mark.parametrize("form", FORMS)
def test_a_run_that_is_cut_short_ends_as_if_it_had_not_been(
    form: str, architecture: Build, toy_data: Data, tmp_path: Path
) -> None:
    from tests.benchmark.training.test_checkpoint import interrupted, untimed

    task, values = toy_task(architecture), VALUES[parse(form).knob][-1:]
    peak = task.learning_rate_of(parse(form))
    whole = train(task, parse(form), values, [0], 2, peak, toy_data, "float32")
    steps = int(str(whole[0].measured.steps))
    moments = (steps // 5, steps // 2)
    resumed = interrupted(tmp_path, moments, task, parse(form), values, [0], 2, peak, toy_data, "float32")
    assert list(map(untimed, resumed)) == list(map(untimed, whole))


def test_a_pack_drops_out_what_its_members_drop_alone(toy_data: Data) -> None:
    from tests.conftest import dropout_mlp

    packed = results("snip", dropout_mlp, toy_data)
    for value, together in zip(VALUES["density"], packed, strict=True):
        (alone,) = results("snip", dropout_mlp, toy_data, [value])
        assert together.measured.test_loss == pytest.approx(alone.measured.test_loss, rel=1e-4)


def test_every_method_starts_from_the_same_network_and_sees_the_same_batches(
    monkeypatch: pytest.MonkeyPatch, toy_data: Data
) -> None:
    models: list[torch.Tensor] = []
    orders: list[list[torch.Tensor]] = []  # of each run, its epochs
    original_model, original_batches = loop._model, Batches._shuffled

    def model(task: Any, seed: int) -> torch.nn.Module:
        built = original_model(task, seed)
        models.append(torch.cat([p.detach().flatten() for p in built.parameters()]))
        orders.append([])
        return built

    def recorded(*arguments: Any) -> Any:
        epoch: list[torch.Tensor] = original_batches(*arguments)
        orders[-1].append(torch.stack(epoch))
        return epoch

    monkeypatch.setattr(loop, "_model", model)
    monkeypatch.setattr(Batches, "_shuffled", recorded)
    for form in FORMS:
        results(form, mlp, toy_data, VALUES[parse(form).knob][:1])
    assert all(torch.equal(other, models[0]) for other in models)
    longest = max(orders, key=len)  # some methods take more than one budget
    assert all(len(order) >= 2 for order in orders)
    assert all(torch.equal(a, b) for order in orders for a, b in zip(order, longest, strict=False))
    assert not torch.equal(longest[0], longest[1])
