"""The learning-rate schedule and the training loop."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark.data.augmentation import Augmentation
from benchmark.data.inputs import InMemory
from benchmark.data.split import Data
from benchmark.records.bits import packed, unpacked
from benchmark.records.schema import THRESHOLDS
from benchmark.tasks.task import Task
from benchmark.training import loop
from benchmark.training.loop import train
from benchmark.training.schedule import schedule
from benchmark.training.uncut import standard_errors
from methods.core.registry import parse
from tests.builders import batch_norm_cnn, toy_task


def test_the_schedule_equals_the_one_worked_out_by_hand() -> None:
    (rates,) = schedule((1.0,), 6, 1.0, warmup=1 / 3)
    # two steps rise to the peak, four fall: (1 + cos(pi t / 4)) / 2
    expected = [1 / 3, 2 / 3, 1.0, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2]
    assert rates == pytest.approx(expected)


@given(share=st.floats(0.01, 0.99), steps=st.integers(1, 500), warmup=st.floats(0, 0.5))
def test_phases_share_the_budget_and_each_restarts_the_schedule(share: float, steps: int, warmup: float) -> None:
    phases = schedule((1 - share, share), steps, 0.7, warmup)
    assert sum(map(len, phases)) == steps
    assert abs(len(phases[1]) - share * steps) <= 0.5 + 1e-9
    for rates in phases:
        assert all(0 < rate <= 0.7 for rate in rates)
        assert not rates or max(rates) == pytest.approx(0.7)


def test_a_diverged_member_does_not_disturb_its_pack(toy_data: Data) -> None:
    task, method = toy_task(batch_norm_cnn), parse("dwf")
    together = train(task, method, [1.0, 1e9], [0, 0], 3, 0.3, toy_data, "float32")
    (alone,) = train(task, parse("dwf"), [1.0], [0], 3, 0.3, toy_data, "float32")
    assert [result.measured.status for result in together] == ["ok", "diverged"]
    assert together[0].measured.test_loss == pytest.approx(alone.measured.test_loss, rel=1e-4)
    assert together[0].measured.steps == 60 and together[1].measured.steps < 60  # type: ignore[operator]


@pytest.mark.parametrize(("value", "said"), [(0.5, ""), (1 / 240, "no weight is left in 1.weight")])
def test_a_run_says_what_is_wrong_with_its_final_network(toy_data: Data, value: float, said: str) -> None:
    method = parse("magnitude-init[distribution=global]")
    (result,) = train(toy_task(), method, [value], [0], 1, 0.1, toy_data, "float32")
    constant = "the network predicts one class for all validation examples"
    assert result.measured.warning == (f"{said}; {constant}" if said else "")


def test_curves_have_a_value_for_every_epoch_and_metric(toy_data: Data) -> None:
    (result,) = train(toy_task(), parse("magnitude"), [0.25], [0], 4, 0.1, toy_data, "float32")
    by_metric = {metric: [v for _, m, v in result.curves if m == metric] for _, metric, _ in result.curves}
    assert {metric: len(values) for metric, values in by_metric.items()} == {"train_loss": 4} | dict.fromkeys(
        [
            "rate_share", "val_loss", "val_accuracy", "density", "weight_norm",
            "density of 1.weight", "density of 3.weight",
        ], 5,
    )  # fmt: skip
    assert by_metric["density"] == [1, 1, 1, 0.25, 0.25]  # pruned half way
    assert by_metric["rate_share"][0] == 0 and by_metric["rate_share"][-1] == pytest.approx(1)
    assert by_metric["val_accuracy"][-1] == result.measured.val_accuracy


def test_another_seed_gives_other_weights_and_another_order() -> None:
    from benchmark.data.batches import Batches
    from benchmark.training.loop import initial_model

    one, two = (torch.cat([p.flatten() for p in initial_model(toy_task(), seed).parameters()]) for seed in (0, 1))
    assert not torch.equal(one, two)
    numbered = InMemory(torch.arange(100.0)), torch.arange(100)
    orders = [torch.cat([y for _, y in Batches(numbered, None, 10, [seed]).epoch()]) for seed in (0, 1)]
    assert all(sorted(order.tolist()) == list(range(100)) for order in orders)
    assert not torch.equal(orders[0], orders[1])


def test_runs_with_several_seeds_see_the_same_batches_as_alone() -> None:
    from benchmark.data.batches import Batches

    images = torch.randn(50, 1, 6, 6)
    train, augmentation = (InMemory(images), torch.arange(50)), Augmentation(shift=2)
    mixed = Batches(train, augmentation, 8, [3, 5, 3])
    alone = {seed: Batches(train, augmentation, 8, [seed]) for seed in (3, 5)}
    for _ in range(2):
        epochs = {seed: list(batches.epoch()) for seed, batches in alone.items()}
        for number, (x, y) in enumerate(mixed.epoch()):
            assert x.shape == (3, 8, 1, 6, 6) and y.shape == (3, 8)
            for run, seed in enumerate((3, 5, 3)):
                assert torch.equal(x[run], epochs[seed][number][0]) and torch.equal(y[run], epochs[seed][number][1])
    state = mixed.state_dict()
    following = list(mixed.epoch())
    mixed.load_state_dict(state)
    for (x, y), (again, labels) in zip(following[4:], mixed.epoch(done=4), strict=True):
        assert torch.equal(x, again) and torch.equal(y, labels)


def test_a_run_has_a_bit_for_each_test_example(toy_data: Data) -> None:
    method = parse("magnitude")
    results = train(toy_task(), method, [0.1, 0.01], [0, 1], 1, 0.1, toy_data, "float32")
    inputs, labels = toy_data.test
    for run, result in enumerate(results):
        assert result.correct is not None and result.correct[0] == len(labels)
        right = unpacked(packed(result.correct[1], len(labels)), len(labels))
        chosen = method.net.plain(run).eval()(inputs[: len(labels)]).argmax(1)
        assert right.tolist() == (chosen == labels).tolist() and 0 < right.mean() < 1
        assert 100 * right.mean() == pytest.approx(result.measured.test_accuracy)


def test_each_split_is_measured_with_its_own_labels(toy_data: Data) -> None:
    wrong = Data(toy_data.train, toy_data.val, (toy_data.test[0], (toy_data.test[1] + 1) % 4))
    (right,), (misled,) = (
        train(toy_task(), parse("dense"), [1.0], [0], 4, 0.1, data, "float32") for data in (toy_data, wrong)
    )
    assert right.measured.val_accuracy == misled.measured.val_accuracy
    assert right.measured.test_accuracy > 90 and misled.measured.test_accuracy < 10  # type: ignore[operator]
    assert right.measured.val_loss == misled.measured.val_loss < 0.5 < misled.measured.test_loss  # type: ignore[operator]


def test_biases_and_norms_are_not_decayed() -> None:
    """Inputs are zero, so weights change only by their decay; biases learn as they do without decay."""
    x, y = torch.zeros(200, 1, 4, 4), torch.arange(200) % 4
    data = Data.in_memory((x, y), (x, y), (x, y))
    weightless = toy_task(lambda seed: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 4)))
    decayed = dataclasses.replace(weightless, weight_decay=0.5)
    free = dataclasses.replace(weightless, weight_decay=0.0)
    one, two = (train(task, parse("dense"), [1.0], [0], 3, 0.1, data, "float32")[0] for task in (decayed, free))
    assert one.measured.test_loss == two.measured.test_loss


def test_training_does_not_advance_the_callers_generator(toy_data: Data) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(toy_task(), parse("random"), [0.5], [0], 1, 0.1, toy_data, "float32")
    assert torch.equal(torch.rand(3), expected)


def test_gradients_for_scores_do_not_change_running_statistics(toy_data: Data) -> None:
    from benchmark.training.probe import Probe
    from methods.core.network import Network

    net = Network([batch_norm_cnn(), batch_norm_cnn(1)])
    before = [buffer.clone() for buffer in net.buffers()]
    probe = Probe(net, toy_data.train, 100, [0, 1], torch.full((2, 1), 0.1))
    gradient = probe.gradient(25)  # more than an epoch
    assert gradient.abs().sum() > 0 and net.grad.abs().sum() == 0
    assert all(torch.equal(a, b) for a, b in zip(before, net.buffers(), strict=True))
    torch.testing.assert_close(probe.gradient(25), gradient)
    first, second = probe.gradient(1), probe.gradient(1, first=1)
    assert not torch.equal(first, second)
    torch.testing.assert_close((first + second) / 2, probe.gradient(2))


@pytest.mark.parametrize(("form", "pruned_in"), [("obs[examples=2]", "finish"), ("magnitude", "on_phase_start")])
def test_a_step_takes_no_part_of_the_time_that_a_method_needs_once(
    toy_data: Data, monkeypatch: pytest.MonkeyPatch, form: str, pruned_in: str
) -> None:
    clock, method = [0.0], parse(form)
    update, prune = method.update, getattr(method, pruned_in)

    def taking(seconds: float, call: Any, *arguments: Any) -> None:
        call(*arguments)
        clock[0] += seconds

    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    monkeypatch.setattr(method, "update", lambda lr: taking(1, update, lr))
    monkeypatch.setattr(method, pruned_in, lambda *phase: taking(1_000, prune, *phase))
    (result,) = train(toy_task(), method, [0.5], [0], 1, 0.1, toy_data, "float32")
    assert result.measured.step_ms == 1_000


def test_the_final_network_is_counted_and_evaluated_at_every_threshold(toy_data: Data) -> None:
    """The method's own threshold gives the final network; larger thresholds keep fewer weights."""
    together = train(toy_task(), parse("dwf[threshold=1e-4]"), [0.5, 3.0], [0, 0], 4, 0.3, toy_data, "float32")
    for result in together:
        assert tuple(point[0] for point in result.at_thresholds) == THRESHOLDS
        nonzeros = [point[1] for point in result.at_thresholds]
        assert nonzeros == sorted(nonzeros, reverse=True)
        own = result.at_thresholds[3]
        names = ("nonzeros", "density", "val_accuracy", "test_accuracy")
        assert own[1:5] == tuple(getattr(result.measured, name) for name in names)
    assert together[0].at_thresholds != together[1].at_thresholds
    (masked,) = train(toy_task(), parse("snip"), [0.5], [0], 1, 0.1, toy_data, "float32")
    assert masked.at_thresholds == []


def test_the_objective_of_a_penalty_run_is_that_of_its_network_before_small_weights_become_zero(toy_data: Data) -> None:
    penalties, forms = [1e-3, 1e-2], {"dwf[depth=4,by=penalty,threshold=0.05]": 1 / 2, "prox-l1": 1.0, "l1": 1.0}
    for form, exponent in forms.items():
        method = parse(form)
        values = [0.5, 0.25] if form == "l1" else penalties
        together = train(toy_task(), method, values, [0, 1], 2, 0.1, toy_data, "float32")
        (alone,) = train(toy_task(), parse(form), values[1:], [1], 2, 0.1, toy_data, "float32")
        assert alone.measured.objective == pytest.approx(together[1].measured.objective, rel=1e-3)
        for result in together:
            row = result.measured
            assert (
                row.exponent == exponent and row.penalty and row.penalty_sum and row.uncut_train_loss and row.train_loss
            )
            assert row.objective == pytest.approx(row.uncut_train_loss + row.penalty * row.penalty_sum)
        cut = float(method.net.weights[-1].double().abs().pow(exponent).sum())
        if form == "prox-l1":  # its cut moves next to nothing
            assert (row.penalty_sum, row.uncut_train_loss) == pytest.approx((cut, row.train_loss), rel=1e-3)
        else:
            assert (
                row.penalty_sum
                and row.penalty_sum > 1.05 * cut
                and row.uncut_train_loss != pytest.approx(row.train_loss, rel=1e-3)
            )
    for form in ("str", "snip"):  # a penalty that is no power of |w|, and none
        (other,) = train(toy_task(), parse(form), [0.5], [0], 1, 0.1, toy_data, "float32")
        assert other.measured.penalty_sum is None and other.measured.objective is None
        assert (other.measured.uncut_train_loss is None) == (form == "snip")


def test_the_standard_error_of_a_paired_difference_counts_only_examples_that_change() -> None:
    one = torch.tensor([[1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0]]).bool()
    other = torch.tensor([[1, 0, 0, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0]]).bool()
    difference = torch.tensor([0, 1, 1, -1, 0, 0, 0, 0]).double()
    expected = difference.std(correction=0).item() / math.sqrt(8)
    assert standard_errors(one, other) == pytest.approx([expected, 0])


def test_curves_of_a_penalty_run_hold_its_penalty_and_its_misalignment(toy_data: Data) -> None:
    (result,) = train(toy_task(), parse("dwf[depth=3,init=root]"), [0.3], [0], 3, 0.05, toy_data, "float32")
    last = {metric: value for epoch, metric, value in result.curves if epoch == 3}
    assert last["relative_misalignment"] < 0.01 and last["balanced"] > 0.9  # a balanced start stays balanced
    assert last["penalty"] > 0 and last["imbalance"] < 0.01
    (drawn,) = train(toy_task(), parse("dwf[depth=3]"), [0.1], [0], 3, 0.05, toy_data, "float32")
    unbalanced = {metric: value for epoch, metric, value in drawn.curves if epoch == 3}
    assert unbalanced["relative_misalignment"] > 0.01 and unbalanced["balanced"] < 0.9
    assert {f"density at {cut}" for cut in ("1.19e-07", "1e-06", "1e-05", "0.0001", "0.001")} <= set(last)
    assert unbalanced["imbalance"] > 0.01


def test_the_learning_rate_of_other_parameters_has_a_limit(toy_data: Data) -> None:
    def final(limit: float, peak: float) -> tuple[torch.Tensor, torch.Tensor]:
        method = parse("dense")
        train(toy_task(learning_rate=limit), method, [1.0], [0], 1, peak, toy_data, "float32")
        return method.net.weights, method.net.other_params

    start = _model_rest(toy_task())
    weights, rest = final(0.0, 0.1)
    assert torch.equal(rest[0], start) and not torch.equal(weights, final(0.1, 0.1)[0])
    slow, fast = final(0.01, 0.1)[1][0] - start, final(0.1, 0.1)[1][0] - start
    assert 0 < slow.norm() < 0.5 * fast.norm()
    assert torch.equal(final(0.1, 0.1)[1], final(0.4, 0.1)[1])  # a limit, not a rate


def _model_rest(task: Task) -> torch.Tensor:
    from benchmark.training.loop import initial_model

    return torch.cat([p.detach() for n, p in initial_model(task, 0).named_parameters() if n.endswith("bias")])


def test_only_training_images_are_augmented_and_the_seed_decides_how(toy_data: Data) -> None:
    plain, shaken = toy_task(), toy_task(augmentation=Augmentation(shift=1, cutout=1))

    def run(task: Task, seed: int = 0, values: tuple[float, ...] = (0.5,)) -> list[dict[str, Any]]:
        results = train(task, parse("snip"), list(values), [seed] * len(values), 2, 0.1, toy_data, "float32")
        return [
            {k: v for k, v in asdict(result.measured).items() if k in ("train_loss", "test_loss")} for result in results
        ]

    (first,), (again,) = run(shaken), run(shaken)
    assert first == again and first != run(plain)[0]
    together = run(shaken, values=(0.5, 0.1))
    assert together[0]["test_loss"] == pytest.approx(first["test_loss"], rel=1e-4)  # a pack shares its images
    # With a rate of next to nothing the network stays as it is, and is measured on the images as they are.
    still = [
        train(task, parse("dense"), [1.0], [0], 1, 1e-30, toy_data, "float32")[0].measured for task in (plain, shaken)
    ]
    assert still[0].train_loss == still[1].train_loss and still[0].val_loss == still[1].val_loss
