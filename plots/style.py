"""The look of every figure: one colour and marker for each method, in all figures, and one way to save."""

from __future__ import annotations

import os
import re
import textwrap
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy
import pandas
from matplotlib.colors import to_hex
from matplotlib.figure import Figure, SubFigure
from matplotlib.text import Text

DENSE = "#6e6e6e"

# By label. Related methods share a hue and a shape; lightness tells them apart, also for the colour-blind.
KNOWN = {
    "dense": (DENSE, "_"),
    "narrow": ("#a39a8c", "P"),
    "dwf[depth=1]": ("#a6cbe8", "o"),
    "dwf[depth=2]": ("#6aaede", "8"),
    "dwf[depth=3]": ("#2f87d0", "o"),
    "dwf[depth=4]": ("#0d5ca8", "8"),
    "dwf[depth=6]": ("#0a3a78", "o"),
    "dwf[depth=8]": ("#081d45", "8"),
    "magnitude": ("#d55e00", "s"),
    "magnitude[finetune=0]": ("#f5a66b", "s"),
    "gmp": ("#8f3b00", "D"),
    "random": ("#8a8a8a", "X"),
    "random[distribution=erk]": ("#333333", "X"),
    "random[distribution=uniform]": ("#c8bca8", "X"),
    "snip": ("#009e73", "^"),
    "synflow": ("#7fd4b4", "v"),
    # The looks that follow from the labels of these are those of other methods, or too close to them.
    "snip[iterations=100]": ("#004d3a", "^"),
    "l1": ("#882255", "D"),
    "l1[penalty_weight=0.001]": ("#cc79a7", "d"),
    "prox-l1": ("#56b4e9", "p"),
    "str": ("#e69f00", "p"),
    "powerprop": ("#7b2d8b", "h"),
    "ham[mask=magnitude]": ("#b03060", "p"),
    "imp[rounds=3]": ("#111111", "*"),
}
COLOURS = ("#332288", "#ddcc77", "#44aa99", "#117733", "#999933", "#cc6677", "#882255", "#aa4499")
MARKERS = ("<", ">", "*", "d", "h")


def style(label: str) -> tuple[str, str]:
    """Return the colour and the marker of a method, which depend on its label alone.

    The label leaves out the zero threshold, which changes how a method is counted and not which method it is. A knob
    that is the penalty itself changes neither.
    """
    label = _without_knob(label)
    if label in KNOWN:
        return KNOWN[label]
    number = zlib.crc32(label.encode())  # Python's own hash of a text changes with every process
    return COLOURS[number % len(COLOURS)], MARKERS[number // len(COLOURS) % len(MARKERS)]


def looks(runs: pandas.DataFrame) -> dict[str, tuple[str, str]]:
    """Return the colour and the marker of each method of the runs."""
    return {method: style(label) for method, label in _labels(runs).items()}


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
    return re.sub(r"(,by=penalty(?=[,\]])|\[by=penalty\]|(?<=\[)by=penalty,)", "", label)


def _labels(runs: pandas.DataFrame) -> dict[str, str]:
    return dict(runs[["method", "label"]].drop_duplicates("method").itertuples(index=False))


STYLE: dict[Any, Any] = {
    "figure.figsize": (7.2, 4.2),
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "svg.hashsalt": "sparsefront",
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw with the settings of a figure that is read at half a page, whatever the user's matplotlibrc says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def file_name(text: str) -> str:
    """Return a text as the name of a file on every system; a number keeps apart texts that would be the same."""
    name = re.sub(r'[\x00-\x1f<>:"/\\|?*$`]', "-", text)
    written = name.encode(errors="replace")
    if name == text.replace(":", "-") and len(written) <= 150:
        return name
    return f"{written[:150].decode(errors='ignore')}-{zlib.crc32(os.fsencode(text)):08x}"


def sheet(title: str, subtitle: str, caption: str, height: float, width: float = 7.2) -> tuple[Figure, SubFigure]:
    """Return a figure with its texts in place, and the part of it that holds the panels."""
    figure = Figure(figsize=(width, height))
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    figure.supxlabel(textwrap.fill(caption, round(19 * width)), x=0.01, ha="left", fontsize=7, color="#555555")
    (panels,) = figure.subfigures(1, squeeze=False).flat
    panels.suptitle(subtitle, x=0.01, ha="left", fontsize=9)
    return figure, panels


def sequence(count: int) -> list[str]:
    """Return colours for ordered things, from light to dark, all of them visible on white."""
    return [to_hex(matplotlib.colormaps["viridis"](place)) for place in numpy.linspace(0.85, 0.05, count)]


def save(figure: Figure, path: Path) -> list[Path]:
    """Write a figure to <path>.png and <path>.svg, then clear it; the same figure gives the same bytes."""
    _show_dollars(figure)
    targets = [path.with_name(f"{path.name}.{suffix}") for suffix in ("png", "svg")]
    with figure_style():
        figure.savefig(targets[0], dpi=150, metadata={"Software": None})
        figure.savefig(targets[1], metadata={"Date": None})
    figure.clear()
    return targets


def _show_dollars(figure: Figure) -> None:
    """Show a dollar sign in a name as it is: only the tick labels, which matplotlib writes, hold formulas."""
    axes = [axis for each in figure.axes for axis in (each.xaxis, each.yaxis)]
    ticks = [tick for axis in axes for tick in (*axis.majorTicks, *axis.minorTicks)]
    formulas = {*map(id, (axis.offsetText for axis in axes))}
    formulas |= {id(label) for tick in ticks for label in (tick.label1, tick.label2)}
    for text in figure.findobj(Text):
        if isinstance(text, Text) and id(text) not in formulas:
            text.set_parse_math(False)
