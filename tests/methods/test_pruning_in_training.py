"""Masks that change during training (gradual, alternating, iterative, dynamic), on six weights by hand."""

from __future__ import annotations

import math

import pytest
import torch

from methods.acdc import AlternatingCompressedDecompressed
from methods.core.masked import Masked
from methods.core.network import Network
from methods.core.optimizers import Sgd
from methods.core.registry import MethodError, check_value, parse
from methods.dynamic import Rewired
from tests.builders import WEIGHTS, FakeProbe, kept, mask_of, mlp, parsed, six

STILL = torch.tensor(0.0)  # a learning rate at which weights stand still and momentum does not


def started(form: str, steps: int, density: float = 0.5, momentum: float = 0.9) -> tuple[Network, Masked]:
    net = six()
    method = parsed(form, Masked)
    method.bind(net, [density], Sgd(momentum), 0.0, FakeProbe(net, [0.1] * steps))
    return net, method


def test_gradual_pruning_follows_the_cubic_schedule() -> None:
    torch.manual_seed(0)
    net = Network([torch.nn.Linear(100, 10, bias=False)])
    method = parse("gmp[update_start=0.2,update_end=0.8,interval=0.1]")
    method.bind(net, [0.1], Sgd(), 0.0, FakeProbe(net, [0.1] * 20))
    counts = []
    for _ in range(20):
        net.grad.zero_()
        method.update(torch.tensor(0.1))
        counts.append(int(net.weights.count_nonzero()))
    # d + (1 - d) (1 - p)^3 at p = 0, 1/6, ... 1, in steps 4, 6, ... 16
    expected = [round(1000 * (0.1 + 0.9 * (1 - p / 6) ** 3)) for p in range(7)]
    assert [counts[step - 1] for step in range(4, 17, 2)] == expected
    assert counts[:3] == [1000] * 3 and counts[15:] == [100] * 5
    assert counts[4] == counts[3]


@pytest.mark.parametrize("steps", [100, 400, 3_000])
@pytest.mark.parametrize(("form", "updates"), [("gmp", 60), ("set", 74), ("rigl", 74)])
def test_masks_change_as_often_in_short_runs_as_in_long_ones(
    form: str, updates: int, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, method = started(form, steps)
    done: list[int] = []
    monkeypatch.setattr(method, "prune" if form == "gmp" else "rewire", lambda *_: done.append(1))
    for _ in range(steps):
        net.grad.zero_()
        method.update(STILL)
    assert len(done) == pytest.approx(updates, abs=1)


def test_gradual_pruning_keeps_the_largest_and_ends_at_its_density_in_any_budget() -> None:
    for steps in (1, 3, 50):
        net, method = started("gmp", steps)
        for _ in range(steps):
            net.grad.zero_()
            method.update(torch.tensor(0.1))
        method.finish()
        assert kept(net) == [1, 2, 4]


def test_acdc_alternates_dense_and_sparse_phases() -> None:
    """In the paper's ImageNet schedule, masks begin at epochs 10, 20, ... 70 and 85 of 100; each lasts five."""
    method = parsed("acdc", AlternatingCompressedDecompressed)
    masked = [epoch for epoch in range(100) if method.masked_at(epoch / 100)]
    expected = [epoch for start in range(10, 80, 10) for epoch in range(start, start + 5)] + list(range(85, 100))
    assert masked == expected


def test_acdc_regrows_weights_from_zero_without_momentum() -> None:
    net, method = started("acdc[warmup=0.25,period=0.25,final=0.25]", 4)
    seen = []
    for _ in range(4):
        net.grad.fill_(-1.0)
        method.update(torch.tensor(1.0))
        seen.append(net.weights[0].tolist())
    # step 1 dense: w + 1. Step 2 masked: |w| = 1.5, 3, 4, .9, 3, 2, so 1, 2, 4 stay and move by 1.9.
    assert seen[0] == pytest.approx([w + 1 for w in WEIGHTS])
    assert seen[1] == pytest.approx([0, -3 + 1.9, 4 + 1.9, 0, 3 + 1.9, 0])
    # step 3 dense: those that were dropped move by their own gradient alone.
    assert seen[2] == pytest.approx([1, -1.1 + 2.71, 5.9 + 2.71, 1, 4.9 + 2.71, 1])
    # step 4 masked to the end
    assert [i for i, w in enumerate(seen[3]) if w] == [1, 2, 4]


@pytest.mark.parametrize("rewind", ["weights", "rate"])
def test_imp_rewinds_the_weights(rewind: str) -> None:
    point = ",point=0.5" if rewind == "weights" else ""
    net, method = started(f"imp[rounds=2{point},rewind={rewind}]", 12, density=1 / 3, momentum=0.0)
    seen = {}
    for step in range(12):
        if step % 4 == 0:
            method.on_phase_start(step // 4)
        seen[step] = net.weights[0].tolist()
        net.grad.fill_(1.0)
        method.update(torch.tensor(1.0))
    early = [w - 2 for w in WEIGHTS]  # after half of the first training: -1.5, -6, 1, -2.1, 0, -1
    assert seen[2] == pytest.approx(early)
    # after it -3.5, -8, -1, -4.1, -2, -3: three of six are kept, then two
    if rewind == "weights":
        assert seen[4] == pytest.approx([early[i] if i in (0, 1, 3) else 0 for i in range(6)])
        assert seen[8] == pytest.approx([early[i] if i in (1, 3) else 0 for i in range(6)])
    else:
        assert seen[4] == pytest.approx([-3.5, -8, 0, -4.1, 0, 0])
        assert seen[8] == pytest.approx([0, -12, 0, -8.1, 0, 0])


def test_imp_prunes_a_fifth_a_round_for_as_many_rounds_as_the_density_asks_for() -> None:
    torch.manual_seed(0)
    net = Network([torch.nn.Linear(100, 10, bias=False)])
    method = parse("imp")
    assert [len(method.phases_at(density)) for density in (1, 0.9, 0.8, 0.5, 0.1, 0.01)] == [1, 2, 2, 5, 12, 22]
    assert parse("imp[rewind=none]").phases_at(0.5) == (5.0,)
    assert len(parse("imp[share=0.5]").phases_at(0.1)) == 5
    assert len(parse("control[mask=imp]").phases_at(0.5)) == 6
    method.bind(net, [0.5], Sgd(), 0.0, FakeProbe(net, [0.1] * 5))
    counts = []
    for phase in range(5):
        method.on_phase_start(phase)
        net.grad.zero_()
        method.update(STILL)
        counts.append(int(net.weights.count_nonzero()))
    assert counts == [1000, 800, 640, 512, 500]


def test_imp_refuses_a_density_that_takes_too_many_rounds() -> None:
    with pytest.raises(MethodError, match=r"takes 459 rounds of a whole training to density 0\.01, more than 100"):
        check_value(parse("imp[share=0.01]"), 0.01)
    check_value(parse("imp[rounds=3]"), 0.01)


def test_imp_ends_at_its_density_even_if_training_ends_early() -> None:
    for rewind in ("weights", "rate", "none"):
        net, method = started(f"imp[rounds=2,rewind={rewind}]", 60, density=1 / 3)
        net.grad.zero_()
        method.update(STILL)
        method.finish()
        assert kept(net) == [1, 2]


def test_imp_rewinds_the_momentum() -> None:
    net = Network([mlp()])
    net.other_state = {"momentum": torch.ones_like(net.other_params)}
    method = parse("imp")
    method.bind(net, [0.5], Sgd(), 0.0, FakeProbe(net, [0.1] * 12))
    net.grad.fill_(1.0)
    method.update(torch.tensor(0.1))
    assert method.state["momentum"].all()
    method.on_phase_start(1)
    assert not net.other_state["momentum"].any() and not method.state["momentum"].any()


def test_imp_without_rewinding_has_one_schedule() -> None:
    net, method = started("imp[rounds=2,rewind=none]", 9, density=1 / 3)
    assert method.phases == (3.0,)
    counts = []
    for _ in range(9):
        net.grad.zero_()
        method.update(torch.tensor(0.1))
        counts.append(len(kept(net)))
    assert counts == [6, 6, 6, 3, 3, 3, 2, 2, 2]


def rewired(form: str, gradient: list[float]) -> tuple[list[int], list[int], Network, Rewired]:
    """Keep weights 1, 2 and 4, take a step to fill the momentum, then a step in which the layer is rewired."""
    net, method = started(form, 4)
    assert isinstance(method, Rewired)
    net.weights[0] = torch.tensor(WEIGHTS)
    method.mask = None
    method.apply_mask(torch.tensor([[False, True, True, False, True, False]]))
    net.grad.fill_(1.0)
    method.update(STILL)
    before = kept(net)
    net.grad[0] = torch.tensor(gradient)
    method.update(torch.tensor(1.0))
    return before, mask_of(method)[0].nonzero().flatten().tolist(), net, method


def test_rigl_drops_the_smallest_and_grows_by_gradient() -> None:
    before, after, net, method = rewired(
        "rigl[interval=0.5,drop_fraction=0.7,update_end=1]", [0.5, 9.0, 9.0, -3.0, 0.1, 2.0]
    )
    assert before == [1, 2, 4]
    # share 0.7 / 2 (1 + cos(pi / 2)) = 0.35 of three: one, the weight 2.0; weight 3 has the largest gradient
    assert after == [1, 2, 3]
    assert net.weights[0].tolist() == [0, -4, 3, 0, 0, 0]  # grown at zero, and no step taken
    momentum = method.state["momentum"][0].tolist()
    assert momentum == [0, 1, 1, 0, 0, 0]


def test_rigl_may_regrow_a_weight_that_it_dropped() -> None:
    _, after, net, _ = rewired("rigl[interval=0.5,drop_fraction=0.7,update_end=1]", [0.5, 9.0, 9.0, -3.0, 4.0, 2.0])
    assert after == [1, 2, 4]
    assert net.weights[0].tolist() == [0, -4, 3, 0, 2, 0]


def test_the_drop_fraction_of_rigl_falls_as_a_cosine_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    net, method = started("rigl[drop_fraction=0.4,update_end=0.5]", 10)
    assert isinstance(method, Rewired)
    shares = [method.share(progress) for progress in (0, 0.5, 1)]
    assert shares == pytest.approx([0.4, 0.2, 0.0])
    times: list[float] = []
    monkeypatch.setattr(method, "rewire", lambda share, growth: times.append(share))
    for _ in range(10):
        net.grad.zero_()
        method.update(torch.tensor(0.1))
    assert times == pytest.approx([0.2 * (1 + math.cos(math.pi * t / 5)) for t in (1, 2, 3, 4)])


def test_set_grows_at_random_and_keeps_its_size() -> None:
    grown: set[int] = set()
    for seed in range(30):
        *_, method = rewired("set[interval=0.5,drop_fraction=0.4,update_end=1]", [0.0] * 6)
        method.mask = torch.tensor([[False, True, True, False, True, False]])
        method.seeds = [seed]
        method.rewire(0.4, method.growth())
        free = mask_of(method)[0].nonzero().flatten().tolist()
        assert len(free) == 3 and {1, 2} <= set(free)
        grown |= set(free) - {1, 2}
    assert grown == {0, 3, 4, 5}


def test_weights_that_set_grows_have_their_initial_values() -> None:
    net, method = started("set[drop_fraction=1,update_end=1]", 4, density=1 / 3)
    net.grad.zero_()
    method.update(STILL)
    assert len(kept(net)) == 2 and all(net.weights[0, i] == pytest.approx(WEIGHTS[i]) for i in kept(net))


def test_dynamic_masks_keep_the_density_of_every_layer() -> None:
    net = Network([mlp()])
    method = parsed("rigl[drop_fraction=0.5]", Rewired)
    method.bind(net, [0.3], Sgd(), 0.0, FakeProbe(net, [0.1] * 20))
    counts = [int((net.weights[:, layer.span] != 0).sum()) for layer in net.layers]
    assert sum(counts) == round(0.3 * net.weights.shape[1])
    before = mask_of(method).clone()
    for _ in range(10):
        net.grad.normal_(generator=torch.Generator().manual_seed(1))
        method.update(torch.tensor(0.1))
    after = mask_of(method)
    assert [int(after[:, layer.span].sum()) for layer in net.layers] == counts
    assert not torch.equal(before, after)
    assert not net.weights[~after].any()
