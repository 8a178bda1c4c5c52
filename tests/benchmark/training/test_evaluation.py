"""Accuracy, loss and counts of a plain network, checked with values computed by hand."""

from __future__ import annotations

import pytest
import torch

from benchmark.data.inputs import InMemory
from benchmark.models.lenets import lenet300
from benchmark.training import evaluation
from benchmark.training.evaluation import evaluate, layer_nonzeros, multiply_adds
from tests.builders import batch_norm_cnn


@pytest.mark.parametrize("batch", [1, 3, 7, 100, 101, 1000])
def test_a_perfect_model_has_exactly_100_percent(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", batch)
    labels = torch.arange(101) % 5
    inputs = 50 * torch.nn.functional.one_hot(labels, 5).float()
    perfect = evaluate(torch.nn.Identity(), (InMemory(inputs), labels))
    assert perfect.metric == [100.0] and perfect.loss == [pytest.approx(0, abs=1e-6)] and perfect.scores.all()
    wrong = labels.clone()
    wrong[-1] = (wrong[-1] + 1) % 5  # in the short last batch
    assert perfect.top5 == [None]
    (accuracy,), (loss,), _, correct = evaluate(torch.nn.Identity(), (InMemory(inputs), wrong))
    assert correct.tolist() == [[True] * 100 + [False]]
    assert accuracy == pytest.approx(100 * 100 / 101, abs=1e-5)
    assert loss == pytest.approx(50 / 101, abs=1e-5)


def test_many_runs_are_evaluated_on_fewer_examples_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "EVALUATION_VALUES", 120)
    labels = torch.arange(20) % 5
    inputs = 50 * torch.nn.functional.one_hot(labels, 5).float()
    for runs, size in ((1, 20), (3, 8), (1000, 1)):
        sizes: list[int] = []

        def forward(x: torch.Tensor, runs: int = runs, sizes: list[int] = sizes) -> torch.Tensor:
            sizes.append(len(x))
            return x.expand(runs, -1, -1)

        found = evaluate(torch.nn.Identity(), (InMemory(inputs), labels), forward, runs)
        assert found.scores.shape == (runs, 20) and found.metric == [100.0] * runs and sizes[0] == max(sizes) == size


def test_top5_is_measured_from_100_classes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", 30)
    falling = -torch.arange(100.0).expand(100, 100)  # the likeliest classes are 0 to 4, for every example
    split = InMemory(falling), torch.arange(100)
    many = evaluate(torch.nn.Identity(), split, lambda x: torch.stack([x, x.roll(1, -1)]), 2)
    assert many.top5 == [5.0, 5.0] and many.metric == [1.0, 1.0]
    few = InMemory(falling[:99, :99]), torch.arange(99)
    assert evaluate(torch.nn.Identity(), few, lambda x: torch.stack([x, x]), 2).top5 == [None, None]


def test_evaluation_changes_no_buffer() -> None:
    model = batch_norm_cnn()
    model(torch.randn(8, 1, 4, 4))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    evaluate(model, (InMemory(torch.randn(20, 1, 4, 4) + 3), torch.zeros(20, dtype=torch.int64)))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("layer", "shape", "by_hand"),
    [
        (torch.nn.Linear(7, 5), (1, 7), 7 * 5),
        # 16 x 16 padded to 18, kernel 3: 16 x 16 positions
        (torch.nn.Conv2d(4, 8, 3, padding=1), (1, 4, 16, 16), 16 * 16 * 8 * 4 * 9),
        # two groups: each output sees half of the inputs
        (torch.nn.Conv2d(4, 8, 3, padding=1, groups=2), (1, 4, 16, 16), 16 * 16 * 8 * 2 * 9),
        # stride 2 without padding: 7 x 7 positions
        (torch.nn.Conv2d(4, 8, 3, stride=2), (1, 4, 16, 16), 7 * 7 * 8 * 4 * 9),
        # dilation 2 spans 5 pixels: 12 x 12 positions
        (torch.nn.Conv2d(4, 8, 3, dilation=2), (1, 4, 16, 16), 12 * 12 * 8 * 4 * 9),
        (torch.nn.Conv2d(4, 8, 3, stride=2, dilation=2, padding=1, groups=4), (1, 4, 16, 16), 7 * 7 * 8 * 1 * 9),
    ],
)
def test_multiply_adds_equal_those_worked_out_by_hand(
    layer: torch.nn.Module, shape: tuple[int, ...], by_hand: int
) -> None:
    model = torch.nn.Sequential(layer)
    assert multiply_adds(model, torch.zeros(shape)) == (by_hand, by_hand)
    weight = model.get_parameter("0.weight")
    with torch.no_grad():
        weight.flatten()[: weight.numel() // 4] = 0
    kept = weight.count_nonzero().item() / weight.numel()
    assert multiply_adds(model, torch.zeros(shape)) == (by_hand, round(kept * by_hand))


def test_multiply_adds_count_the_positions_of_each_layer() -> None:
    conv, linear = torch.nn.Conv2d(1, 2, 3, padding=1), torch.nn.Linear(2 * 36, 4)
    model = torch.nn.Sequential(conv, torch.nn.Flatten(), linear)
    with torch.no_grad():
        conv.weight[0] = 0
    # the convolution does 36 x 18 products, half of them now with zero; the linear layer 72 x 4
    assert multiply_adds(model, torch.zeros(1, 1, 6, 6)) == (36 * 18 + 288, 36 * 9 + 288)


def test_a_shared_weight_counts_in_both_layers() -> None:
    first, second = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)
    second.weight = first.weight
    model = torch.nn.Sequential(first, second, torch.nn.Linear(4, 2))
    with torch.no_grad():
        first.weight[:2] = 0
    assert multiply_adds(model, torch.zeros(1, 4)) == (16 + 16 + 8, 8 + 8 + 8)


def test_lenet300_has_the_published_size() -> None:
    model = lenet300(784, 10)
    assert sum(total for _, total in layer_nonzeros(model).values()) == 266_200
    assert sum(parameter.numel() for parameter in model.parameters()) == 266_610
    assert multiply_adds(model, torch.zeros(1, 1, 28, 28))[0] == 266_200


def test_zeros_are_counted_layer_by_layer() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2), torch.nn.Linear(2, 2))
    with torch.no_grad():
        model.get_parameter("0.weight").copy_(torch.tensor([[0.0, -0.0, 1e-30], [2, 0, -3]]))
        model.get_parameter("2.weight").zero_()
    assert layer_nonzeros(model) == {"0.weight": (3, 6), "2.weight": (0, 4)}
