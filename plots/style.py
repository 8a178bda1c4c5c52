"""How every figure looks: one colour and marker a method, whichever others are drawn; one way to save."""

import re
import textwrap
import zlib
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib
import numpy
from matplotlib.colors import to_hex
from matplotlib.figure import Figure, SubFigure

DENSE = "#6e6e6e"

# Families share a hue and a shape; within a family lightness tells the members apart, also to the colour-blind.
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
}
COLOURS = ("#332288", "#ddcc77", "#44aa99", "#117733", "#999933", "#cc6677", "#882255", "#aa4499")
MARKERS = ("<", ">", "*", "d", "h")


def style(method: str) -> tuple[str, str]:
    """The colour and the marker of a method, given in its written form; they depend on nothing else.

    A zero threshold of its own changes how a method is counted, not which method it is.
    """
    method = _without_threshold(method)
    if method in KNOWN:
        return KNOWN[method]
    number = zlib.crc32(method.encode())  # Python's own hash of a text changes with every process
    return COLOURS[number % len(COLOURS)], MARKERS[number // len(COLOURS) % len(MARKERS)]


def labels(methods: Iterable[str]) -> dict[str, str]:
    """The names of methods in a legend or table: their written forms, without what figures say once for all.

    The zero threshold stands in the subtitle, unless it is what tells two methods apart. Depth 2 is what others call
    shallow factorization.
    """
    methods = list(methods)
    bare = [_without_threshold(method) for method in methods]
    names = bare if len(set(bare)) == len(set(methods)) else methods
    return {m: f"{n} (shallow)" if n == "dwf[depth=2]" else n for m, n in zip(methods, names, strict=True)}


def order(methods: Iterable[str]) -> list[str]:
    """The order of legends: families together, depth rising, methods without a place in the table last, by name."""
    places = {method: place for place, method in enumerate(KNOWN)}
    return sorted(methods, key=lambda method: (places.get(_without_threshold(method), len(places)), method))


def _without_threshold(method: str) -> str:
    return re.sub(r"(?<=[\[,])threshold=[^,\]]*,?", "", method).replace(",]", "]").removesuffix("[]")


def figure_style() -> AbstractContextManager[None]:
    """Settings for a figure that is read at half a page; to be active while one is made."""
    return matplotlib.rc_context(
        {
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
    )


def sheet(title: str, subtitle: str, caption: str, height: float) -> tuple[Figure, SubFigure]:
    """A figure with its texts in place, and the part of it that panels are drawn into."""
    figure = Figure(figsize=(7.2, height))
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    figure.supxlabel(textwrap.fill(caption, 135), x=0.01, ha="left", fontsize=7, color="#555555")
    (panels,) = figure.subfigures(1, squeeze=False).flat
    panels.suptitle(subtitle, x=0.01, ha="left", fontsize=9)
    return figure, panels


def sequence(count: int) -> list[str]:
    """Colours for what has an order, light to dark, each to be seen on white."""
    return [to_hex(matplotlib.colormaps["viridis"](place)) for place in numpy.linspace(0.85, 0.05, count)]


def save(figure: Figure, path: Path) -> list[Path]:
    """Write a figure as <path>.png and <path>.svg, the same bytes for the same figure; the figure is empty after."""
    targets = [path.with_name(f"{path.name}.{suffix}") for suffix in ("png", "svg")]
    with figure_style():
        figure.savefig(targets[0], dpi=150, metadata={"Software": None})
        figure.savefig(targets[1], metadata={"Date": None})
    figure.clear()
    return targets
