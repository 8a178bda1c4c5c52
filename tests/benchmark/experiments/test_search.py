"""The search gives every method the same 24 points, scaled to its knob."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import pytest

from benchmark.errors import UsageError
from benchmark.experiments.lenet5 import closer_pairs
from benchmark.experiments.registry import get_experiment
from benchmark.experiments.search import chosen_pairs, sobol_pairs
from methods.core.registry import METHODS, parse


def test_the_first_sobol_points_are_those_computed_by_hand() -> None:
    # Points (1/2, 1/2), (3/4, 1/4), (1/4, 3/4) between 0.05 and 1.6, and between 0.002 and 0.2.
    assert sobol_pairs(parse("gmp"))[:3] == [(0.283, 0.02), (0.673, 0.00632), (0.119, 0.0632)]


def test_all_methods_have_the_same_points() -> None:
    def shares(form: str, low: float) -> list[tuple[float, float]]:
        return [(rate, math.log(value / low)) for rate, value in sobol_pairs(parse(form))]

    masks, penalties = shares("gmp", 0.002), shares("prox-lq", 2e-5)
    assert len(set(masks)) == 24
    for one, other in zip(masks, penalties, strict=True):
        assert one == pytest.approx(other, abs=0.01)


@pytest.mark.parametrize(
    ("form", "value"),
    [("dense", 1.0), ("sr-ste[distribution=2:4]", 0.5), ("sign-in[mask=snip[distribution=1:4]]", 0.25)],
)
def test_a_method_with_one_value_is_tried_at_24_learning_rates(form: str, value: float) -> None:
    pairs = sobol_pairs(parse(form))
    assert len(dict(pairs)) == 24
    assert {found for _, found in pairs} == {value}


@pytest.mark.parametrize("name", METHODS)
def test_every_method_can_be_searched_by_its_density_or_its_penalty(name: str) -> None:
    form = name if parse(name).knob != "strength" else f"{name}[by=penalty]"
    assert len(sobol_pairs(parse(form))) == 24


@pytest.mark.parametrize("form", ["dwf[depth=3]", "str"])
def test_a_strength_is_refused_since_it_depends_on_the_learning_rate(form: str) -> None:
    with pytest.raises(UsageError, match=r"has no range for the strength of .*; it has one for densities and"):
        sobol_pairs(parse(form))


def test_an_experiment_runs_the_pairs_and_not_their_product() -> None:
    grid = replace(get_experiment("search"), methods=("gmp",))
    assert [(run.learning_rate, run.value) for run in grid.runs()] == list(sobol_pairs(parse("gmp")))
    assert len(grid.smoke().runs()) == 2


def test_a_search_may_have_other_ranges_and_fewer_trials() -> None:
    grid = replace(get_experiment("search-lenet5"), methods=("gmp", "dwf[depth=2,by=penalty]"))
    runs = grid.runs()
    assert [run.method for run in runs] == ["gmp"] * 12 + ["dwf[depth=2,by=penalty]"] * 12
    # Points (1/2, 1/2) and (3/4, 1/4) between 0.025 and 0.4, and between 1.5e-5 and 6e-4.
    assert [(run.learning_rate, run.value) for run in runs[12:14]] == [(0.1, 9.49e-5), (0.2, 3.77e-5)]


def test_lenet5_has_values_between_the_chosen_ones_at_the_learning_rate_of_the_task() -> None:
    chosen = partial(chosen_pairs, search="search-lenet5")
    gmp, dense = parse("gmp"), parse("dense")
    assert closer_pairs(gmp) == [*chosen(gmp), (0.1, 0.005)]  # the two nearest densities are 0.0141 and 0.00326
    assert closer_pairs(dense) == chosen(dense)
