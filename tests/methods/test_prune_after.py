"""A penalty with an exact density: the penalty first, then a cut by magnitude, then fine-tuning without it."""

from __future__ import annotations

import pytest
import torch

from benchmark.contract.method_promises import counts_what_it_promises
from benchmark.contract.resumption import resumes_bit_for_bit
from methods.core.network import Network
from methods.core.optimizers import Sgd
from methods.core.registry import METHODS, MethodError, check_value, parse
from methods.prune_after import PruneAfter
from tests.builders import FakeProbe, kept, mlp, parsed, six

LR = torch.tensor(0.1)


def test_the_penalty_acts_until_the_cut_and_weight_decay_after_it() -> None:
    net, method = six(), parsed("prune-after[mask=l1[by=penalty],at=2]", PruneAfter)
    assert method.phases == (0.5, 0.5) and method.knob == "density"
    method.bind(net, [0.5], Sgd(0.0), 0.5, FakeProbe(net, [0.1] * 2))
    method.on_phase_start(0)
    net.grad.zero_()
    method.update(LR)  # w - 0.1 * 2 * sign(w)
    assert net.weights[0].tolist() == pytest.approx([0.3, -3.8, 2.8, 0.1, 1.8, 0.8])
    assert method.penalty is not None and method.penalty.item() == 2
    method.on_phase_start(1)
    assert kept(net) == [1, 2, 4] and method.penalty is None
    net.grad.fill_(1.0)
    method.update(LR)  # w - 0.1 * (1 + 0.5 w)
    assert net.weights[0].tolist() == pytest.approx([0, -3.71, 2.56, 0, 1.61, 0])
    method.finish()
    assert kept(net) == [1, 2, 4]


def test_a_strength_is_that_of_the_share_before_the_cut() -> None:
    net, method = Network([mlp()]), parsed("prune-after[mask=dwf[depth=2],at=5,finetune=0.25]", PruneAfter)
    method.bind(net, [0.5], Sgd(), 0.0, FakeProbe(net, [0.1] * 8))
    alone, twin = parse("dwf[depth=2]"), Network([mlp()])
    alone.bind(twin, [5.0], Sgd(), 0.0, FakeProbe(twin, [0.1] * 6))
    assert alone.penalty is not None and method.penalty is not None
    assert torch.equal(method.penalty, alone.penalty)


def test_where_the_penalty_left_fewer_weights_the_mask_still_has_its_density() -> None:
    net, method = six(), parsed("prune-after[mask=prox-l1,at=30]", PruneAfter)
    method.bind(net, [0.5], Sgd(0.0), 0.0, FakeProbe(net, [0.1] * 2))
    net.grad.zero_()
    method.update(LR)  # soft thresholding by 3
    assert kept(net) == [1]
    method.on_phase_start(1)
    net.grad.fill_(1.0)
    method.update(LR)
    assert len(kept(net)) == 3


PENALTIES = [name for name, cls in METHODS.items() if cls.knob in ("strength", "penalty")]


@pytest.mark.parametrize("name", [*PENALTIES, "l1[by=penalty]", "dwf[by=penalty]"])
def test_every_penalty_method_ends_at_the_density(name: str) -> None:
    net, method = Network([mlp(0), mlp(1)]), parse(f"prune-after[mask={name},distribution=2:4]")
    assert str(parse(str(method))) == str(method)
    method.bind(net, [0.5, 0.5], Sgd(0.9), 1e-3, FakeProbe(net, [0.05] * 8))
    for phase in range(2):
        method.on_phase_start(phase)
        for step in range(4):
            net.grad.normal_(generator=torch.Generator().manual_seed(step))
            method.update(torch.tensor(0.05))
    method.finish()
    assert net.weights.count_nonzero(1).tolist() == [120, 120]


def test_a_combination_keeps_the_promises_of_methods() -> None:
    form = "prune-after[mask=prox-lq[q=2/3],at=0.001]"
    assert counts_what_it_promises(form, mlp) == pytest.approx([0.5, 0.1, 7 / 240])
    resumes_bit_for_bit(form, mlp)


@pytest.mark.parametrize("mask", ["l1", "gmp", "dense", "control[mask=dwf]", "prune-after"])
def test_other_methods_are_refused(mask: str) -> None:
    with pytest.raises(MethodError, match="is a method with a strength or a penalty, not"):
        parse(f"prune-after[mask={mask}]")


def test_the_value_inside_and_the_share_are_checked() -> None:
    check_value(parse("prune-after"), 0.01)
    for wrong in ("at=-1", "finetune=0", "finetune=1"):
        with pytest.raises(MethodError, match=f"option {wrong.partition('=')[0]} of method prune-after takes"):
            parse(f"prune-after[{wrong}]")
