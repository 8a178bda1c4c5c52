"""Mask methods on six weights: scores and masks computed by hand, and pruned weights that stay zero."""

from __future__ import annotations

import pytest
import torch

from methods.core.optimizers import Sgd
from methods.core.registry import parse
from tests.builders import WEIGHTS, FakeProbe, kept, six


def test_snip_keeps_the_largest_gradient_times_weight() -> None:
    net = six()
    probe = FakeProbe(net, [0.1])
    probe.made = torch.tensor([[10.0, 1.0, -2.0, 10.0, 0.0, -4.5]])  # |g w| = 5, 4, 6, 1, 0, 4.5
    parse("snip").bind(net, [0.5], Sgd(), 0.0, probe)
    assert kept(net) == [0, 2, 5]
    assert net.weights[0, [0, 2, 5]].tolist() == [0.5, 3.0, 1.0]


@pytest.mark.parametrize(("finetune", "pruned_at"), [("0.25", "begin"), ("0", "finish")])
def test_magnitude_prunes_when_its_second_phase_begins_or_at_the_end(finetune: str, pruned_at: str) -> None:
    net = six()
    method = parse(f"magnitude[finetune={finetune}]")
    assert method.phases == ((0.75, 0.25) if pruned_at == "begin" else (1.0,))
    method.bind(net, [0.5], Sgd(), 0.0, FakeProbe(net, [0.1]))
    method.on_phase_start(0)
    assert len(kept(net)) == 6
    method.on_phase_start(1) if pruned_at == "begin" else method.finish()
    assert kept(net) == [1, 2, 4]
    method.finish()
    assert kept(net) == [1, 2, 4]


def test_random_masks_depend_only_on_the_seed() -> None:
    def mask(weights: float) -> list[int]:
        net = six()
        net.weights.fill_(weights)
        parse("random").bind(net, [0.5], Sgd(), 0.0, FakeProbe(net, [0.1]))
        return kept(net)

    assert len(mask(1.0)) == 3
    assert mask(1.0) == mask(2.0)


def test_pruned_weights_stay_zero_under_momentum_decay_and_nan() -> None:
    """A pruned weight that kept its momentum would come back, and NaN * 0 is NaN."""
    net = six()
    method = parse("magnitude")
    method.bind(net, [0.5], Sgd(0.9), 0.1, FakeProbe(net, [0.1]))
    for _ in range(3):
        net.grad.fill_(1.0)
        method.update(torch.tensor(0.1))
    method.on_phase_start(1)
    dropped = [0, 3, 5]
    assert all(net.weights[0, i] == 0 for i in dropped)
    for gradient in (1.0, -1.0, float("inf"), float("nan")):
        net.grad.fill_(0.5)
        net.grad[0, dropped] = gradient
        method.update(torch.tensor(0.1))
        assert net.weights[0, dropped].tolist() == [0, 0, 0]
        assert net.weights.isfinite().all()


def test_dense_takes_the_optimizers_step_with_coupled_decay() -> None:
    net = six()
    method = parse("dense")
    method.bind(net, [1.0], Sgd(0.9), 0.1, FakeProbe(net, [0.1]))
    net.grad.fill_(1.0)
    method.update(torch.tensor(0.5))
    # w - lr (g + decay w) = w - 0.5 - 0.05 w
    torch.testing.assert_close(net.weights[0], torch.tensor(WEIGHTS) * 0.95 - 0.5)
