"""Running statistics of batch norm follow weights that change after the last training step."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import update_bn

from benchmark.data.augmentation import Augmentation
from benchmark.data.batches import Batches
from benchmark.data.split import Data
from benchmark.experiments.run import method_version
from benchmark.records.schema import Measurement
from benchmark.tasks.registry import TASKS, get_task
from benchmark.training import loop, uncut
from benchmark.training.batch_norm import recompute_statistics
from benchmark.training.evaluation import CLASSIFICATION, evaluate
from benchmark.training.loop import train
from benchmark.training.probe import Probe
from methods import SparseOptimizer
from methods.core.network import Network
from methods.core.optimizers import Sgd
from methods.core.registry import parse
from tests.builders import toy_task


def batch_norm_mlp(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    hidden = (layer for width in (16, 32) for layer in (nn.Linear(width, 32), nn.BatchNorm1d(32), nn.ReLU()))
    return nn.Sequential(nn.Flatten(), *hidden, nn.Dropout(0.5), nn.Linear(32, 4))


def statistics(net: Network) -> list[torch.Tensor]:
    return [buffer.clone() for buffer in net.buffers()]


def batches_of(data: Data, augmentation: Augmentation | None = None) -> Batches:
    return Batches(data.train, augmentation, 100, [0])


def test_statistics_are_those_of_the_changed_weights(toy_data: Data) -> None:
    net = Network([batch_norm_mlp()])
    before, trained = net.weights.clone(), statistics(net)
    assert recompute_statistics(net, before, batches_of(toy_data), "float32") == [False]
    assert all(torch.equal(one, two) for one, two in zip(net.buffers(), trained, strict=True))
    net.weights[0, :300] = 0
    assert recompute_statistics(net, before, batches_of(toy_data), "float32") == [True]
    order = torch.randperm(2_000, generator=torch.Generator().manual_seed(0))
    other = batch_norm_mlp()
    other[7] = nn.Identity()  # dropout is off
    other.load_state_dict(net.model.state_dict())
    update_bn([toy_data.train[0][batch] for batch in order.split(100)], other)
    for name in ("2.running_mean", "2.running_var", "5.running_mean", "5.running_var"):
        torch.testing.assert_close(net.model.get_buffer(name), other.get_buffer(name))
    assert not any(module.training for module in net.model.modules())
    assert {module.momentum for module in net.model.modules() if isinstance(module, nn.BatchNorm1d)} == {0.1}


def test_statistics_are_those_of_augmented_images(toy_data: Data) -> None:
    """A network is used to them: ResNet-20 lost four points by the statistics of plain images."""
    batches = batches_of(toy_data, Augmentation(shift=2))
    net, other = Network([batch_norm_mlp()]), batch_norm_mlp()
    other[7] = nn.Identity()  # dropout is off
    recompute_statistics(net, torch.zeros_like(net.weights), batches, "float32")
    update_bn(batches.sample(10_000), other)
    for name in ("2.running_mean", "2.running_var", "5.running_mean", "5.running_var"):
        torch.testing.assert_close(net.model.get_buffer(name), other.get_buffer(name))
    augmented = statistics(net)
    recompute_statistics(net, torch.zeros_like(net.weights), batches_of(toy_data), "float32")
    assert not torch.allclose(augmented[0], statistics(net)[0], atol=0.01)


def test_a_pack_recomputes_the_statistics_of_its_changed_runs_alone(toy_data: Data) -> None:
    pack, alone = Network([batch_norm_mlp(0), batch_norm_mlp(1)]), Network([batch_norm_mlp(1)])
    trained = statistics(pack)
    for net in (pack, alone):
        before = net.weights.clone()
        net.weights[-1, :300] = 0
        recomputed = recompute_statistics(net, before, batches_of(toy_data), "float32")
        assert recomputed == [False, True][-net.runs :]
    for buffer, single, start in zip(pack.buffers(), alone.buffers(), trained, strict=True):
        assert torch.equal(buffer[0], start[0])
        torch.testing.assert_close(buffer[1], single)


@pytest.mark.parametrize("form", ["magnitude[finetune=0]", "l1[penalty_weight=0.001]"])
def test_a_network_that_is_pruned_after_training_keeps_its_accuracy(
    form: str, toy_data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a tenth of the weights, 64 % become 92 % by the recomputed statistics."""

    def measured() -> Measurement:
        return train(toy_task(batch_norm_mlp), parse(form), [0.1], [0], 8, 0.1, toy_data, "float32")[0].measured

    new = measured()
    monkeypatch.setattr(loop, "recompute_statistics", lambda net, *rest: [False] * net.runs)
    old = measured()
    assert (new.batch_norm_recomputed, old.batch_norm_recomputed) == (True, False)
    assert new.test_accuracy is not None and old.test_accuracy is not None
    assert new.test_accuracy > old.test_accuracy + 20


@pytest.mark.parametrize("form", ["dense", "magnitude", "snip", "gmp"])
def test_statistics_stay_those_of_training_where_the_last_weights_were_trained(form: str, toy_data: Data) -> None:
    value = 1.0 if form == "dense" else 0.2
    (result,) = train(toy_task(batch_norm_mlp), parse(form), [value], [0], 2, 0.1, toy_data, "float32")
    assert result.measured.batch_norm_recomputed is False


def test_a_network_without_batch_norm_has_nothing_to_recompute(toy_data: Data) -> None:
    (result,) = train(toy_task(), parse("magnitude[finetune=0]"), [0.2], [0], 2, 0.1, toy_data, "float32")
    assert result.measured.batch_norm_recomputed is False


def test_each_threshold_has_the_statistics_of_its_own_network(toy_data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uncut, "THRESHOLDS", (0.0, 0.1, 0.2))
    net = Network([batch_norm_mlp()])
    for _ in range(50):
        net.forward(toy_data.train[0][:100])
    trained, whole = statistics(net), net.weights.clone()
    (points,) = uncut._at_thresholds(net, CLASSIFICATION, toy_data, batches_of(toy_data), "float32")
    assert torch.equal(net.weights, whole)
    assert all(torch.equal(one, two) for one, two in zip(net.buffers(), trained, strict=True))
    for threshold, nonzeros, _, accuracy, *_ in points:
        net.weights.copy_(whole.masked_fill(whole.abs() < threshold, 0))
        recompute_statistics(net, whole, batches_of(toy_data), "float32")
        assert evaluate(net.model, toy_data.val)[0] == [accuracy] and net.weights.count_nonzero() == nonzeros
        for buffer, start in zip(net.buffers(), trained, strict=True):
            buffer.copy_(start)


def test_a_control_retrains_from_the_statistics_of_the_start(toy_data: Data) -> None:
    method = parse("control[mask=magnitude]")
    train(toy_task(batch_norm_mlp), method, [0.2], [0], 2, 0.1, toy_data, "float32")
    net = method.net
    method.on_phase_start(2)
    assert all(torch.equal(a, b) for a, b in zip(net.buffers(), batch_norm_mlp().buffers(), strict=True))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("form", ["snip", "snip[iterations=2]"])
def test_snip_scores_in_evaluation_mode_unless_it_is_asked_otherwise(form: str, training: bool, toy_data: Data) -> None:
    model = batch_norm_mlp()
    model[7] = nn.Identity()  # dropout would draw anew each time
    net = Network([model])
    model.get_buffer("2.running_var").fill_(4.0)  # no batch has this variance
    chosen = form if not training else form.removesuffix("]") + ("," if "[" in form else "[") + "mode=training]"
    probe = Probe(net, toy_data.train, 100, [0], torch.full((1, 1), 0.1))
    expected = (probe.gradient(1, training=training) * net.weights).abs()
    assert not torch.allclose(expected, (probe.gradient(1, training=not training) * net.weights).abs())
    seen: list[torch.Tensor] = []
    method = parse(chosen)
    method.prune_to = lambda scores, *rest: seen.append(scores)  # type: ignore[attr-defined]
    net.model.train()
    method.bind(net, [0.1], Sgd(), 0.0, probe)
    torch.testing.assert_close(seen[0], expected)
    assert all(module.training for module in net.model.modules())


def test_a_script_is_scored_in_evaluation_mode_too() -> None:
    model = batch_norm_mlp()
    modes: list[bool] = []

    def loss() -> torch.Tensor:
        modes.append(model[2].training)
        return model(torch.randn(20, 1, 4, 4)).square().mean()

    SparseOptimizer(model, "snip", density=0.5, steps=5, lr=0.1, probe=loss)
    assert modes == [False] and model.training and model[2].training


def test_versions_rise_on_networks_with_batch_norm_alone() -> None:
    rise = {
        "dense": 0, "gmp": 0, "magnitude": 0, "synflow": 0, "snip": 1, "snip[iterations=2]": 1, "l1": 2, "dwf": 2,
        "magnitude[finetune=0]": 2, "prox-l1": 2, "ham[mask=magnitude[finetune=0]]": 2, "control[mask=snip]": 2,
    }  # fmt: skip
    for form, expected in rise.items():
        method = parse(form)
        without = method_version(method, get_task("lenet300-mnist"))
        for task in ("resnet20-cifar10", "timm:resnet26-imagenet"):  # images that are streamed are cropped at random
            assert method_version(method, get_task(task)) - without == expected, (form, task)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_task_says_whether_its_network_has_batch_norm_or_dropout(name: str) -> None:
    if name.startswith("vit"):  # it is built by timm, whose networks may have both
        return
    with torch.device("meta"):
        modules = list(get_task(name).model().modules())
    assert get_task(name).batch_norm == any(isinstance(module, _BatchNorm | nn.Dropout) for module in modules)
