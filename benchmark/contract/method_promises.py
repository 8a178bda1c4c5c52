"""The promises of every method. Each function trains one method on a small network and may raise BrokenPromise."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import asdict

import torch

from benchmark.contract.mask_promises import counts_exactly_for_any_scores, keeps_pruned_weights_at_zero
from benchmark.contract.promise import TIMES, require
from benchmark.contract.resumption import resumes_bit_for_bit
from benchmark.contract.stage import ARCHITECTURES, STEPS_PER_EPOCH, Build, packs_together, results, toy_data, values_of
from benchmark.data.inputs import InMemory
from benchmark.data.split import Data
from benchmark.training.measure import Result
from methods.core.registry import parse


def reads_back_what_it_prints(form: str, build: Build) -> None:
    method = parse(form)
    require(str(parse(str(method))) == str(method), f"its written form {method} reads as {parse(str(method))}")


def counts_what_it_promises(form: str, build: Build) -> list[float]:
    """Return the densities at the knob's values, from mild to strong."""
    knob = parse(form).knob
    values = values_of(form)
    epochs = 8 if knob == "strength" else 2  # in fewer steps, the strength would need an unstable lambda
    rows = [result.measured for result in results(form, build, values, epochs=epochs)]
    for value, row in zip(values, rows, strict=True):
        require(row.status == "ok", f"the run at {knob} {value:g} ended as {row.status}: {row.error}")
        assert row.nonzeros is not None and row.prunable is not None and row.density is not None
        if knob == "density":
            expected = round(value * row.prunable)
            require(row.nonzeros == expected, f"at density {value:g} it leaves {row.nonzeros} weights, not {expected}")
        require(row.density == row.nonzeros / row.prunable, f"density {row.density} is not nonzeros / prunable")
        compression = row.prunable / row.nonzeros if row.nonzeros else math.inf
        require(row.compression == compression, f"compression {row.compression} is not prunable / nonzeros")
    densities = [row.density for row in rows if row.density is not None]
    shown = ", ".join(f"{density:.3g}" for density in densities)
    at = ", ".join(f"{value:g}" for value in values)
    require(
        densities == sorted(densities, reverse=True), f"its densities at {at} are {shown}, and they should not rise"
    )
    return densities


def gives_in_a_pack_what_it_gives_alone(form: str, build: Build) -> None:
    if not parse(form).packs:
        return
    # In float64, so that the tolerance tells a wrong pack from rounding errors that training has amplified.
    data = toy_data()
    data = Data.in_memory(*((x[:].double(), y) for x, y in (data.train, data.val, data.test)))

    def double(seed: int) -> torch.nn.Module:
        return build(seed).double()

    knob = parse(form).knob
    values = values_of(form)
    values = values if len(values) > 1 and packs_together(parse(form), values) else values[:1] * 2
    seeds = [0, 1, 0][: len(values)]
    packed = results(form, double, values, seeds=seeds, data=data)
    for value, seed, together in zip(values, seeds, packed, strict=True):
        (alone,) = results(form, double, [value], seeds=[seed], data=data)
        require_alike(together, alone, f"at {knob} {value:g} and seed {seed}")


def require_alike(together: Result, alone: Result, where: str, tolerance: float = 1e-5) -> None:
    """Require that a run gave the same in a pack and alone, up to rounding."""
    require(together.layers == alone.layers, f"{where} the layers keep {together.layers}, and {alone.layers} alone")
    for name, expected in asdict(alone.measured).items():
        if name not in (*TIMES, "pack"):
            found = getattr(together.measured, name)
            require(_close(found, expected, tolerance), f"{where} {name} is {found} in a pack, and {expected} alone")
    require(len(together.curves) == len(alone.curves), f"{where} the curves have other lengths in a pack and alone")
    for ours, theirs in zip(together.curves, alone.curves, strict=True):
        same = ours[:2] == theirs[:2] and _close(ours[2], theirs[2], tolerance)
        require(same, f"{where} a curve has the point {ours} in a pack, and {theirs} alone")


def _close(one: object, other: object, tolerance: float) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance) or (one != one and other != other)
    return one == other


def gives_the_same_row_for_the_same_seed(form: str, build: Build) -> None:
    value = values_of(form)[:1]
    (one,), (two,) = (results(form, build, value) for _ in range(2))
    for name, first in asdict(one.measured).items():
        second = getattr(two.measured, name)
        require(name in TIMES or first == second, f"{name} is {first} at first, and {second} the second time")
    (other,) = results(form, build, value, seeds=[1])
    require(other.measured.test_loss != one.measured.test_loss, "another seed gives the same test loss")


def spends_the_steps_of_its_phases(form: str, build: Build) -> None:
    (result,) = results(form, build, values_of(form)[:1], epochs=5)  # so that a fifth too much would show
    expected = round(5 * STEPS_PER_EPOCH * sum(parse(form).phases_at(values_of(form)[0])))
    require(result.measured.steps == expected, f"it took {result.measured.steps} steps, not {expected}")


def trains_in_bf16(form: str, build: Build) -> None:
    value = values_of(form)[-1]
    (result,) = results(form, build, [value], precision="bf16")
    row = result.measured
    require(row.status == "ok", f"the run ended as {row.status}: {row.error}")
    if parse(form).knob == "density":
        assert row.prunable is not None
        expected = round(value * row.prunable)
        require(row.nonzeros == expected, f"at density {value:g} it leaves {row.nonzeros} weights, not {expected}")


def reports_divergence(form: str, build: Build) -> None:
    (result,) = results(form, build, values_of(form)[:1], epochs=5, peak_lr=1e30)
    row = result.measured
    require(row.status == "diverged", f"at a learning rate of 1e30 the run ended as {row.status}")
    # Dynamic masks drop weights that are not finite, so their loss may stay finite for a while.
    named = re.fullmatch("the training loss of epoch [1-5] is not finite", row.error)
    require(named is not None, f"at a learning rate of 1e30 the error is {row.error!r}, which names no epoch's loss")
    require(row.steps is not None and row.steps < 100, f"a diverged run went on for {row.steps} steps")
    require(row.test_accuracy is None, "a diverged run has a test accuracy")


def decides_nothing_on_validation_or_test_data(form: str, build: Build) -> None:
    data = toy_data()
    val, test = ((InMemory(torch.zeros_like(x[:])), torch.zeros_like(y)) for x, y in (data.val, data.test))
    blind = Data(data.train, val, test)
    value = values_of(form)[:1]
    (seeing,), (unseeing,) = (results(form, build, value, data=one) for one in (data, blind))
    same = seeing.measured.train_loss == unseeing.measured.train_loss and seeing.layers == unseeing.layers
    require(same, "another network results if validation and test data are replaced")
    require(seeing.measured.test_loss != unseeing.measured.test_loss, "the test loss does not depend on test data")


Promise = Callable[[str, Build], object]
# The sentence that `sparsefront check` prints, and the function that looks.
PROMISES: dict[str, Promise] = {
    "its written form reads back": reads_back_what_it_prints,
    "densities are exact, and fall as the knob asks": counts_what_it_promises,
    "a pack of runs gives what its runs give alone": gives_in_a_pack_what_it_gives_alone,
    "the same seed gives the same row": gives_the_same_row_for_the_same_seed,
    "training takes the steps of its phases": spends_the_steps_of_its_phases,
    "training in bf16 keeps the counts": trains_in_bf16,
    "a run that diverges says so and stops": reports_divergence,
    "validation and test data decide nothing": decides_nothing_on_validation_or_test_data,
    "an interrupted run resumes bit for bit, so its state is complete": resumes_bit_for_bit,
}
# Further promises of methods with a density.
MASK_PROMISES: dict[str, Promise] = {
    "pruned weights are zero after every step": keeps_pruned_weights_at_zero,
    "equal, zero and NaN scores change no count": counts_exactly_for_any_scores,
}
# The networks that could break a promise in their own way; a promise that is not here has the first two.
_NETWORKS: dict[Promise, tuple[str, ...]] = {
    **dict.fromkeys((reads_back_what_it_prints, spends_the_steps_of_its_phases), ("mlp",)),
    gives_the_same_row_for_the_same_seed: ("mlp",),  # resuming compares two trainings on the others
    **dict.fromkeys((counts_what_it_promises, gives_in_a_pack_what_it_gives_alone), tuple(ARCHITECTURES)),
    **dict.fromkeys((resumes_bit_for_bit, keeps_pruned_weights_at_zero), tuple(ARCHITECTURES)),
}


def architectures(promise: Promise) -> dict[str, Build]:
    """Return the small networks that a promise is tested on, by name."""
    return {name: ARCHITECTURES[name] for name in _NETWORKS.get(promise, ("mlp", "batch-norm-cnn"))}
