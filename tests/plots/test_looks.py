"""The looks of methods: one in all figures, and none that a reader could take for another's."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations

import numpy
import pandas
import pytest
from matplotlib.colors import to_rgb

from benchmark.experiments.registry import EXPERIMENTS
from methods.core.registry import METHODS, label, parse
from plots.looks import COLOURS, DASHES, KNOWN, MARKERS, OTHER, Look, look, looks, names
from tests.builders import ROOT

# Colours as people without one of the three kinds of cones see them: Machado, Oliveira & Fernandes, IEEE TVCG 2009,
# at full severity, on linear RGB.
SIGHTS = {
    "usual": numpy.eye(3),
    "protanopia": numpy.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": numpy.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": numpy.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
APART = 12  # distances in CIELAB below which two colours of small marks are easily confused


def seen(colour: str, sight: str) -> numpy.ndarray:
    """Return the CIELAB coordinates of a colour as it is seen."""
    encoded = numpy.array(to_rgb(colour))
    linear = numpy.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    linear = (SIGHTS[sight] @ linear).clip(0, 1)
    xyz = numpy.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    x, y, z = numpy.cbrt(xyz / numpy.array([0.9505, 1.0, 1.089])).tolist()
    return numpy.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def alike(one: str, other: str) -> bool:
    """Say whether anybody could take one colour for the other."""
    return any(float(numpy.linalg.norm(seen(one, sight) - seen(other, sight))) < APART for sight in SIGHTS)


def registered() -> dict[str, Look]:
    """Return the look of every registered method by default, and of every method that an experiment names."""
    forms = {*(name for name in METHODS if name != "control"), *KNOWN, "control[mask=magnitude,kind=shuffle]"}
    for make in EXPERIMENTS.values():
        forms |= {form for form in make().methods if "init=" not in form}  # starts have a figure of their own
    methods = [parse(form) for form in forms if form != "narrow" and "by=penalty" not in form]
    return {label(method): look(label(method), method.family) for method in methods}


def test_no_two_methods_look_alike_to_anybody() -> None:
    found = registered()
    assert len(found) > 30
    pairs = [
        (one, other)
        for one, other in combinations(found, 2)
        if found[one].marker == found[other].marker and alike(found[one].colour, found[other].colour)
    ]
    assert not pairs, f"give these methods other markers in plots/looks.py: {pairs}"


def test_the_colours_of_families_are_told_apart_by_everybody() -> None:
    assert not [pair for pair in combinations(dict.fromkeys(COLOURS.values()), 2) if alike(*pair)]


def test_a_simulated_sight_confuses_what_it_should() -> None:
    assert alike("#ff0000", "#a08000") and not alike("#0072b2", "#d55e00")  # red and olive, without red cones
    assert seen("#ffffff", "deuteranopia") == pytest.approx([100, 0, 0], abs=0.5)


@pytest.mark.parametrize("salt", ["1", "2"])
def test_a_new_method_looks_the_same_in_every_process(salt: str) -> None:
    script = "from plots.looks import look; print(look('my-method[a=1]', 'dynamic'), look('snip'))"
    environment = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": salt}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{look('my-method[a=1]', 'dynamic')} {look('snip')}"


def test_new_methods_have_the_colour_of_their_family_and_markers_that_no_known_one_has() -> None:
    found = {look(f"method{number}", "penalty") for number in range(2000)}
    assert found == {Look(COLOURS["penalty"], marker, dash) for marker in MARKERS for dash in DASHES}
    assert look("method", "mine").colour == OTHER
    assert not {marker for _, marker, _ in KNOWN.values()} & set(MARKERS)


def runs(**labels: str) -> pandas.DataFrame:
    return pandas.DataFrame([{"method": method, "label": label, "family": ""} for method, label in labels.items()])


def test_new_methods_of_one_figure_look_different() -> None:
    table = runs(**{f"mine in r{number}": f"mine in r{number}" for number in range(len(MARKERS) * len(DASHES))})
    assert len(set(looks(table).values())) == len(table)
    assert set(looks(runs(**{"x[threshold=1]": "x", "x[threshold=2]": "x"})).values()) == {look("x")}


def test_only_shallow_factorization_has_a_second_name() -> None:
    table = runs(**{"dwf[depth=2]": "dwf[depth=2]", "dwf[depth=3]": "dwf[depth=3]", "snip": "snip"})
    assert names(table) == {
        "dwf[depth=2]": "dwf[depth=2] (shallow)",
        "dwf[depth=3]": "dwf[depth=3]",
        "snip": "snip",
    }


def test_names_leave_out_the_threshold_unless_it_tells_two_methods_apart() -> None:
    shared = {"dwf[depth=3,threshold=0.0001]": "dwf[depth=3]", "x[threshold=1]": "x"}
    assert names(runs(**shared)) == shared
    both = runs(**shared, **{"dwf[depth=3]": "dwf[depth=3]"})
    assert names(both) == {method: method for method in both["method"]}
    assert set(looks(both).values()) == {look("dwf[depth=3]"), look("x")}


def test_legends_keep_families_together_and_put_unknown_methods_last() -> None:
    table = runs(**{name: name for name in ("zzz", "snip", "aaa", "dwf[depth=4]", "dwf[depth=2]")})
    assert list(names(table)) == ["dwf[depth=2]", "dwf[depth=4]", "snip", "aaa", "zzz"]
