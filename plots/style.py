"""The look of every figure: its sizes, its texts, and one way to save it. looks.py has the looks of methods."""

from __future__ import annotations

import os
import re
import textwrap
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import matplotlib
import numpy
from matplotlib.artist import Artist
from matplotlib.colors import to_hex
from matplotlib.figure import Figure, SubFigure
from matplotlib.text import Text

from benchmark.records.files import replacing
from plots.files import write_text

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
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}
# Half a column of a paper: 3.4 inches wide, and no text larger than 7 points.
PAPER: dict[Any, Any] = {
    "figure.figsize": (3.4, 2.3),
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.linewidth": 0.6,
    "grid.linewidth": 0.4,
    "lines.linewidth": 1.1,
    "lines.markersize": 2.8,
    "legend.fontsize": 6,
}
_paper = ContextVar("paper", default=False)


@contextmanager
def paper_style() -> Iterator[None]:
    """Draw for half a column of a paper: without title and caption, the legend below, as PDF and SVG."""
    token = _paper.set(True)
    try:
        yield
    finally:
        _paper.reset(token)


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw with the settings of a figure that is read at half a page, whatever the user's matplotlibrc says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE | (PAPER if _paper.get() else {}))
        yield


def file_name(text: str) -> str:
    """Return a text as the name of a file on every system; a number keeps apart texts that would be the same."""
    name = re.sub(r'[\x00-\x1f<>:"/\\|?*$`]', "-", text)
    written = name.encode(errors="replace")
    if name == text.replace(":", "-") and len(written) <= 150:
        return name
    return f"{written[:150].decode(errors='ignore')}-{zlib.crc32(os.fsencode(text)):08x}"


def in_paper() -> bool:
    """Say whether figures are drawn for half a column of a paper."""
    return _paper.get()


def sheet(title: str, subtitle: str, caption: str, height: float = 4.2, width: float = 7.2) -> tuple[Figure, SubFigure]:
    """Return a figure with its texts in place, which a paper does without, and the part of it that holds the panels."""
    if _paper.get():
        figure = Figure(figsize=(3.4, 3.4 * min(height / width, 1.2) + 0.5))
    else:
        figure = Figure(figsize=(width, height))
        wrapped = textwrap.fill(title, round(9 * width))
        figure.suptitle(wrapped, x=0.01, ha="left", fontsize=12, fontweight="bold")
        figure.supxlabel(textwrap.fill(caption, round(18 * width)), x=0.01, ha="left", fontsize=7, color="#555555")
    (panels,) = figure.subfigures(1, squeeze=False).flat
    if not _paper.get():
        panels.suptitle(textwrap.fill(subtitle, round(10 * width)), x=0.01, ha="left", fontsize=9)
        (panels,) = panels.subfigures(1, squeeze=False).flat  # so that a legend begins below the subtitle
    return figure, panels


def shortened(name: str) -> str:
    """Return a name that leaves room for the panels; only those of more than 48 characters lose their middle."""
    return name if len(name) <= 48 else f"{name[:30]}...{name[-15:]}"


def legend(panels: SubFigure, handles: Sequence[Artist], title: str = "", fontsize: float = 9) -> None:
    """Draw the legend of all panels on their right, or below them in a paper; a long one makes the figure higher."""
    if not handles:
        return
    labels = [wrapped(shortened(str(handle.get_label()))) for handle in handles]
    if _paper.get():
        panels.legend(handles, labels, title=title, loc="outside lower center", ncols=min(3, len(handles)))
    else:
        whole = panels.get_figure(root=True)
        if whole is not None:
            lines = sum(1 + label.count("\n") for label in labels)
            whole.set_figheight(max(whole.get_figheight(), 1.2 + 0.021 * fontsize * lines))
        panels.legend(handles, labels, title=title, loc="outside right upper", fontsize=fontsize)


def wrapped(name: str, width: int = 36) -> str:
    """Break a long name of a method after commas, so that no other line is longer than `width` characters."""
    lines = textwrap.wrap(name.replace(",", ", "), width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(line.replace(", ", ",") for line in lines) if len(name) > width else name


def sequence(count: int) -> list[str]:
    """Return colours for ordered things, from light to dark, all of them visible on white."""
    return [to_hex(matplotlib.colormaps["viridis"](place)) for place in numpy.linspace(0.85, 0.05, count)]


def save(figure: Figure, path: Path) -> list[Path]:
    """Write a figure to <path>.png and <path>.svg, then clear it; the same figure gives the same bytes.

    In the style of a paper the files are <path>.pdf and <path>.svg.
    """
    show_dollars(figure)
    kinds: dict[str, dict[str, Any]] = {"svg": {"metadata": {"Date": None}}}
    if _paper.get():
        kinds["pdf"] = {"metadata": {"CreationDate": None}}
        for text in figure.findobj(Text):
            if isinstance(text, Text):
                text.set_fontsize(min(text.get_fontsize(), PAPER["font.size"]))
    else:
        kinds["png"] = {"dpi": 150, "metadata": {"Software": None}}
    targets = [path.with_name(f"{path.name}.{kind}") for kind in sorted(kinds)]
    with figure_style():
        for target, (kind, options) in zip(targets, sorted(kinds.items()), strict=True):
            with replacing(target, follow=False) as file:
                figure.savefig(file, format=kind, **options)
    _number_elements(targets[-1])
    figure.clear()
    return targets


def _number_elements(svg: Path) -> None:
    """Number the clip paths and markers of an SVG; matplotlib names them by hashes, which differ between machines."""
    text = svg.read_text(encoding="utf-8")
    found = dict.fromkeys(re.findall(r' id="([a-z][0-9a-f]{10})"', text))
    numbers = {name: f"{name[0]}{place}" for place, name in enumerate(found)}
    text = re.sub(
        r'(?<=id=")[a-z][0-9a-f]{10}(?=")|(?<=#)[a-z][0-9a-f]{10}(?=["\)])', lambda m: numbers.get(m[0], m[0]), text
    )
    write_text(svg, text)


def show_dollars(figure: Figure) -> None:
    """Show a dollar sign in a name as it is: only the tick labels, which matplotlib writes, hold formulas."""
    texts = figure.findobj(Text)  # makes the ticks, which are told apart below
    axes = [axis for each in figure.axes for axis in (each.xaxis, each.yaxis)]
    ticks = [tick for axis in axes for tick in (*axis.majorTicks, *axis.minorTicks)]
    formulas = {*map(id, (axis.offsetText for axis in axes))}
    formulas |= {id(label) for tick in ticks for label in (tick.label1, tick.label2)}
    for text in texts:
        if isinstance(text, Text) and id(text) not in formulas:
            text.set_parse_math(False)
