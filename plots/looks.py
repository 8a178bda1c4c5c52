"""The look of every method, one in all figures: a colour for its family, and a marker and a dash of its own.

The colours are those of Okabe & Ito, which the colour-blind tell apart. Methods of one family differ in their marker.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

import pandas

SOLID, DASHED, DOTTED, MIXED = DASHES = ((), (5.0, 2.0), (1.5, 1.5), (6.0, 2.0, 1.5, 2.0))
GREY = "#666666"
SKY, ORANGE = "#56b4e9", "#e69f00"  # second colours of factorization and penalties
COLOURS = {
    "factorization": "#0072b2",
    "penalty": "#d55e00",
    "during training": "#000000",
    "dynamic": "#009e73",
    "before training": "#cc79a7",
    "dense": GREY,
    "control": GREY,
}
OTHER = ORANGE  # methods of other families, which plugins name


class Look(NamedTuple):
    """Colour, matplotlib's marker, and the lengths of ink and gaps of a line, none for a solid one."""

    colour: str
    marker: str
    dash: tuple[float, ...]


# Family or colour, marker and dash by label; a label that is not here has those that its hash chooses.
KNOWN = {
    "dense": ("dense", "_", DASHED),
    "narrow": ("control", "P", SOLID),
    "dwf[depth=1]": (SKY, "^", MIXED),
    "dwf[depth=2]": (SKY, "s", SOLID),
    "dwf[depth=3]": ("factorization", "o", DASHED),
    "dwf[depth=4]": ("factorization", "D", DOTTED),
    "dwf[depth=6]": (SKY, "v", MIXED),
    "dwf[depth=8]": ("factorization", "P", SOLID),
    "dwf[depth=3,init=truncated,rates=equal]": ("factorization", "h", DOTTED),
    "dwf[depth=2,init=truncated,epsilon=0]": (SKY, "X", DASHED),
    "dwf[depth=3,init=truncated,epsilon=0]": ("factorization", "x", SOLID),
    "dwf[depth=3,decay=decoupled]": ("factorization", "s", MIXED),
    "dwf[depth=4,decay=decoupled]": ("factorization", "^", DASHED),
    "d-gating[depth=3]": (SKY, "p", SOLID),
    "rewa": ("factorization", "X", MIXED),
    "rewa[k=9,m=2]": ("factorization", "v", DOTTED),
    "rewa[k=9,m=4]": ("factorization", "*", MIXED),
    "rewa[k=9,m=5.5]": ("factorization", "p", DASHED),
    "l1": (ORANGE, "v", SOLID),
    "l1[penalty_weight=0.001]": (ORANGE, "P", DASHED),
    "prox-l1": (ORANGE, "D", DOTTED),
    "prox-lq[q=2/3]": ("penalty", "o", SOLID),
    "prox-lq[q=1/2]": ("penalty", "s", DASHED),
    "pwd": ("penalty", "X", DOTTED),
    "pwd[p=0.6666667]": ("penalty", "P", MIXED),
    "pwd[p=0.8]": ("penalty", "v", DASHED),
    "pwd[p=1]": ("penalty", "*", SOLID),
    "deephoyer": ("penalty", "h", DASHED),
    "str": ("penalty", "^", MIXED),
    "prune-after[mask=dwf[depth=2]]": ("penalty", "p", DOTTED),
    "acdc": ("during training", "^", DASHED),
    "admm": ("during training", "P", DOTTED),
    "gmp": ("during training", "D", SOLID),
    "gmp[score=lamp]": ("during training", "4", DASHED),
    "ham[mask=magnitude]": ("during training", "p", DOTTED),
    "iht": ("during training", "o", MIXED),
    "imp[rounds=1]": ("during training", "v", MIXED),
    "imp[rounds=3]": ("during training", "*", DASHED),
    "imp[rounds=4]": ("during training", "x", MIXED),
    "imp[point=0,distribution=uniform]": ("during training", "3", DASHED),
    "magnitude": ("during training", "s", DOTTED),
    "magnitude[finetune=0]": ("during training", "X", DOTTED),
    "obs": ("during training", "1", SOLID),
    "wanda": ("during training", "+", SOLID),
    "sr-ste": ("during training", "8", SOLID),
    "powerprop": ("during training", "h", MIXED),
    "random": ("before training", "X", DOTTED),
    "random[distribution=erk]": ("before training", "P", DASHED),
    "random[distribution=uniform]": ("before training", "o", DOTTED),
    "grasp": ("before training", "D", MIXED),
    "magnitude-init": ("before training", "s", DASHED),
    "sign-in[mask=random[distribution=erk]]": ("before training", "p", DOTTED),
    "snip": ("before training", "^", DASHED),
    "snip[iterations=100]": ("before training", "*", MIXED),
    "synflow": ("before training", "v", SOLID),
    "rigl": ("dynamic", "o", SOLID),
    "set": ("dynamic", "s", DASHED),
    "control[mask=magnitude,kind=reinit]": ("control", "*", MIXED),
    "control[mask=magnitude,kind=shuffle]": ("control", "X", DOTTED),
}
MARKERS = ("<", ">", "d", "H")  # those of methods that are not known; no known one has them


def look(label: str, family: str = "", shift: int = 0) -> Look:
    """Return the look of a method, which depends on its label and its family alone.

    The label leaves out the zero threshold, which changes how a method is counted and not which method it is. A knob
    that is the penalty itself changes neither. `shift` gives other looks to a method that is not known.
    """
    label = _without_knob(label)
    if label in KNOWN:
        own, marker, dash = KNOWN[label]
        return Look(COLOURS.get(own, own), marker, dash)
    number = zlib.crc32(label.encode()) + shift  # Python's own hash of a text changes with every process
    dash = DASHES[number // len(MARKERS) % len(DASHES)]
    return Look(COLOURS.get(family, OTHER), MARKERS[number % len(MARKERS)], dash)


def looks(runs: pandas.DataFrame) -> dict[str, Look]:
    """Return the look of each method of the runs; methods that are not known share one only if there are too many."""
    families = dict(zip(runs["method"].tolist(), runs["family"].tolist(), strict=True))
    labels = _labels(runs)
    found: dict[tuple[str, str], Look] = {}
    for label, family in sorted({(label, families[method]) for method, label in labels.items()}):
        choices = [look(label, family, shift) for shift in range(len(MARKERS) * len(DASHES))]
        taken = set(found.values())
        found[label, family] = next((own for own in choices if own not in taken), choices[0])
    return {method: found[label, families[method]] for method, label in labels.items()}


def names(runs: pandas.DataFrame) -> dict[str, str]:
    """Return the name of each method of the runs in legends and tables, in the order of legends.

    A name is the method's label, or its whole written form if two methods differ in their zero threshold alone.
    Related methods come together, and methods without a fixed look come last, by name.
    """
    labels = _labels(runs)
    places = {label: place for place, label in enumerate(KNOWN)}
    ordered = sorted(labels, key=lambda method: (places.get(_without_knob(labels[method]), len(places)), method))
    shown = labels if len(set(labels.values())) == len(labels) else {method: method for method in labels}
    # Others call depth 2 shallow factorization.
    return {m: f"{shown[m]} (shallow)" if shown[m] == "dwf[depth=2]" else shown[m] for m in ordered}


def _without_knob(label: str) -> str:
    return label.replace(",by=penalty", "").replace("[by=penalty]", "").replace("[by=penalty,", "[")


def _labels(runs: pandas.DataFrame) -> dict[str, str]:
    return dict(runs[["method", "label"]].drop_duplicates("method").itertuples(index=False))
