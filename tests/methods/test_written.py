"""Training goes on from what a script writes to the model, or is refused in one sentence."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
import torch
from torch.optim.lr_scheduler import ConstantLR

from methods import METHODS, Masked, SparseOptimizer, parse
from tests.builders import batch_norm_cnn, mlp

VALUE = {"density": {"density": 0.25}, "strength": {"strength": 0.1}, "penalty": {"penalty": 1e-3}, "none": {}}
X, Y = torch.randn(32, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 4


def built(model: torch.nn.Module, form: str, steps: int = 10) -> SparseOptimizer:
    value = VALUE[parse(form).knob]
    return SparseOptimizer(
        model, form, steps=steps, lr=0.05, rates=[0.05] * steps, probe=lambda: loss_of(model), **value
    )


def loss_of(model: torch.nn.Module) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(model(X), Y)


def steps(model: torch.nn.Module, optimizer: SparseOptimizer, count: int) -> None:
    for _ in range(count):
        optimizer.zero_grad()
        loss_of(model).backward()
        optimizer.step()


@pytest.mark.parametrize(
    "form", [form for form in METHODS if form not in ("rigl", "set", "imp", "gmp", "iht", "sr-ste")]
)  # they grow, rewind, prune or choose the mask anew
def test_training_goes_on_from_loaded_weights_under_the_mask(form: str) -> None:
    model = mlp()
    optimizer = built(model, form)
    steps(model, optimizer, 2)
    model.load_state_dict(mlp(3).state_dict())
    method = optimizer.method if optimizer.method.inner is None else optimizer.method.inner
    mask = method.mask if isinstance(method, Masked) else None
    expected = optimizer.net.weights.clone() if mask is None else optimizer.net.weights * mask
    for group in optimizer.param_groups:
        group["lr"] = 1e-9
    steps(model, optimizer, 1)
    assert (optimizer.net.weights - expected).abs().max() < 1e-4


@pytest.mark.parametrize("form", ["random", "snip", "magnitude", "set", "gmp", "control"])
def test_weights_that_are_written_after_the_last_step_end_at_the_density(form: str) -> None:
    model = mlp()
    optimizer = built(model, form, steps=30)
    steps(model, optimizer, 30)
    model.load_state_dict(mlp(3).state_dict())
    optimizer.finish()
    assert int(torch.cat([p.flatten() for p in model.parameters() if p.dim() > 1]).count_nonzero()) == 60


CHANGES: dict[str, Callable[[torch.nn.Module], object]] = {
    "channels last": lambda model: model.to(memory_format=torch.channels_last),
    "assigned": lambda model: model.load_state_dict(copy.deepcopy(batch_norm_cnn(1).state_dict()), assign=True),
    "a vector": lambda model: torch.nn.utils.vector_to_parameters(
        torch.nn.utils.parameters_to_vector(batch_norm_cnn(1).parameters()), model.parameters()
    ),
    "a swapped module": lambda model: setattr(model, "7", copy.deepcopy(getattr(batch_norm_cnn(1), "7"))),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("form", ["dense", "powerprop"])
def test_a_changed_model_trains_as_one_that_was_changed_before(form: str, change: Callable[..., object]) -> None:
    late, early = batch_norm_cnn(), batch_norm_cnn()
    change(early)
    optimizers = built(late, form), built(early, form)
    change(late)
    for model, optimizer in zip((late, early), optimizers, strict=True):
        steps(model, optimizer, 4)
    assert not torch.equal(late.get_parameter("7.weight"), batch_norm_cnn(1).get_parameter("7.weight"))
    for one, two in zip(late.parameters(), early.parameters(), strict=True):
        torch.testing.assert_close(one, two)
    held = {id(parameter) for group in optimizers[0].param_groups for parameter in group["params"]}
    assert held == {id(parameter) for parameter in late.parameters()}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_dwf_goes_on_from_a_changed_model(change: Callable[..., object]) -> None:
    """Its learning rates stay those of the start, so it does not train as if it had been built on the new weights."""
    model, expected = batch_norm_cnn(), batch_norm_cnn()
    optimizer = built(model, "dwf")
    for one in (model, expected):
        change(one)
    for group in optimizer.param_groups:
        group["lr"] = 1e-9
    steps(model, optimizer, 1)
    for name, parameter in expected.named_parameters():
        torch.testing.assert_close(model.get_parameter(name), parameter, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.double(),
        lambda model: setattr(model, "7", torch.nn.Linear(3, 2)),
        lambda model: setattr(model, "7", torch.nn.Identity()),
    ],
    ids=["another type", "another shape", "no parameter"],
)
def test_a_model_that_cannot_be_followed_is_refused(change: Callable[[torch.nn.Module], object]) -> None:
    model = batch_norm_cnn()
    optimizer = built(model, "dwf")
    change(model)
    with pytest.raises(RuntimeError, match="is no longer the parameter that the optimizer was built on"):
        optimizer.zero_grad()
    with pytest.raises(RuntimeError, match="is no longer the parameter that the optimizer was built on"):
        optimizer.step()


def test_factors_of_weights_that_were_not_written_stay() -> None:
    model = mlp()
    optimizer = built(model, "dwf")
    steps(model, optimizer, 3)
    before = optimizer.method.factors.clone()
    with torch.no_grad():
        model.get_parameter("1.weight")[0, 0] = 0.5
    optimizer._take_up()
    first, *others = optimizer.method.factors[:, 0, 0].tolist()
    assert others[0] == others[1] > 0
    assert first * others[0] ** 2 == pytest.approx(0.5)
    assert torch.equal(optimizer.method.factors[:, 0, 1:], before[:, 0, 1:])


@pytest.mark.filterwarnings("ignore:.*weights are left")  # ten steps make few weights zero
@pytest.mark.parametrize("form", ["dense", "dwf", "snip", "gmp", "str"])
def test_a_deep_copy_of_model_and_optimizer_trains_alike_and_apart(form: str) -> None:
    model = batch_norm_cnn()
    optimizer = built(model, form)
    ConstantLR(optimizer, factor=1.0)  # replaces `step` by a function that calls this optimizer
    steps(model, optimizer, 4)
    twin, its_optimizer = copy.deepcopy((model, optimizer))
    before = copy.deepcopy(twin.state_dict())
    steps(model, optimizer, 6)
    assert all(torch.equal(tensor, before[name]) for name, tensor in twin.state_dict().items())
    steps(twin, its_optimizer, 6)
    for one, two in ((model, optimizer), (twin, its_optimizer)):
        assert not torch.equal(one.get_parameter("7.weight"), before["7.weight"])
        two.finish()
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_pickled_pair_trains_alike() -> None:
    model = mlp()
    optimizer = SparseOptimizer(model, "dwf", penalty=1e-3, steps=10, lr=0.05)
    scheduler = ConstantLR(optimizer, factor=1.0)
    steps(model, optimizer, 4)
    twin, its_optimizer, _ = pickle.loads(pickle.dumps((model, optimizer, scheduler)))
    steps(model, optimizer, 3)
    steps(twin, its_optimizer, 3)
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_one_cycle_schedules_the_learning_rates_at_fixed_momentum() -> None:
    model = mlp()
    optimizer = built(model, "dense")
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=[0.2, 0.1], total_steps=11, cycle_momentum=False)
    rates = []
    for _ in range(10):
        steps(model, optimizer, 1)
        rates.append([group["lr"] for group in optimizer.param_groups])
        schedule.step()
    assert max(rates) == pytest.approx([0.2, 0.1], rel=0.1) and rates[0][0] < 0.05


def through_data(model: torch.nn.Module, seed: int = 3) -> None:
    """Write through `parameter.data`, as many initializations do; it leaves no mark on the parameter."""
    for one, other in zip(model.parameters(), mlp(seed).parameters(), strict=True):
        one.data.copy_(other)


@pytest.mark.parametrize("form", ["dwf", "d-gating", "powerprop", "str", "rewa", "random", "prune-after", "dense"])
def test_training_goes_on_from_weights_that_were_written_through_data_before_it(form: str) -> None:
    model, other = mlp(), mlp()
    for one, write in ((model, through_data), (other, lambda model: model.load_state_dict(mlp(3).state_dict()))):
        optimizer = built(one, form)
        write(one)
        steps(one, optimizer, 2)
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), other.parameters(), strict=True))


def test_a_state_keeps_weights_that_were_written_through_data_before_it() -> None:
    model, other = mlp(), mlp()
    saved = built(other, "dwf")
    steps(other, saved, 3)
    resumed = built(model, "dwf")
    for parameter, written in zip(model.parameters(), other.parameters(), strict=True):
        parameter.data.copy_(written)
    resumed.load_state_dict(copy.deepcopy(saved.state_dict()))
    for one, optimizer in ((model, resumed), (other, saved)):
        steps(one, optimizer, 2)
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), other.parameters(), strict=True))


def test_a_copy_takes_what_was_written_through_data_before_the_end() -> None:
    model = mlp().bfloat16()
    optimizer = SparseOptimizer(model, "dense", steps=1, lr=0.1)
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(X.bfloat16()), Y).backward()
    optimizer.step()
    through_data(model)
    optimizer.finish()
    assert torch.equal(model.get_parameter("1.weight"), mlp(3).bfloat16().get_parameter("1.weight"))


@pytest.mark.parametrize("form", ["dwf", "dwf[depth=2]", "d-gating", "rewa", "sign-in", "powerprop"])
def test_a_step_that_is_taken_back_restarts_no_factors(form: str) -> None:
    """Sharpness-aware minimization adds a step to the weights and subtracts it again, up to rounding."""
    one, two = mlp(), mlp()
    pair = built(one, form), built(two, form)
    for model, optimizer in zip((one, two), pair, strict=True):
        steps(model, optimizer, 2)
    ascent = [0.1 * torch.randn(parameter.shape) for parameter in two.parameters()]
    with torch.no_grad():
        for sign in (1, -1):
            for parameter, step in zip(two.parameters(), ascent, strict=True):
                parameter.add_(step, alpha=sign)
    for model, optimizer in zip((one, two), pair, strict=True):
        steps(model, optimizer, 2)
    torch.testing.assert_close(pair[0].net.weights, pair[1].net.weights, rtol=1e-3, atol=1e-5)
    states = (optimizer.state_dict()["driver"]["method"] for optimizer in pair)
    for ours, theirs in zip(*(state.values() for state in states), strict=True):
        if isinstance(ours, torch.Tensor) and ours.is_floating_point():
            torch.testing.assert_close(ours, theirs, rtol=1e-2, atol=1e-4)
