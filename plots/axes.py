"""The axes that figures share: the scale of accuracies, ticks, and dots of runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from plots.looks import GREY, KNOWN, look

DEEPEST = 15  # points below the best at the lower edge of a front
PLAIN = FuncFormatter(lambda number, _: f"{number:g}")


def draw_runs(axes: Axes, runs: pandas.DataFrame, colour: str) -> None:
    """Draw a small dot for each run."""
    many = len(runs) > 2_000  # as vectors they would make an SVG of megabytes
    axes.scatter(
        runs["compression"], runs["test_accuracy"], s=9, color=colour, alpha=0.45, linewidths=0, rasterized=many
    )


def draw_published(axes: Axes, rows: pandas.DataFrame, column: str) -> None:
    """Draw faint marks for published accuracies, and raise the upper edge to the highest of them.

    Methods that this suite does not have are grey.
    """
    for method, own in rows.dropna(subset=[column]).groupby("method"):
        colour, marker, _ = look(str(method)) if method in KNOWN else (GREY, "<", ())
        axes.plot(own["compression"], own[column], marker, color=colour, alpha=0.35, markerfacecolor="none", zorder=1)
    bottom, top = axes.get_ylim()
    if rows[column].max() > top:
        axes.set_ylim(bottom, rows[column].max() + 0.03 * (top - bottom))


def stretch(accuracy: ArrayLike) -> NDArray[numpy.float64]:
    """Map accuracies in percent to heights on a log scale of the error."""
    # The scale keeps 97 and 98 % apart in a picture that also shows collapse; the 0.1 makes 100 % finite.
    return -numpy.log10(numpy.maximum(100.1 - numpy.asarray(accuracy, dtype=float), 1e-9))


def shrink(height: ArrayLike) -> NDArray[numpy.float64]:
    """Map heights back to accuracies in percent."""
    return 100.1 - 10 ** -numpy.asarray(height, dtype=float)


def scale(axes: Axes, compressions: Sequence[float], accuracies: pandas.Series) -> float:
    """Set a log scale of compression and a linear one of accuracy, and return the accuracy at its lower edge.

    Accuracies more than DEEPEST points below the highest are cut off: the differences that matter are between the best.
    The bar of a mean over runs of which some collapsed reaches accuracies that no run has; the edge cuts it off.
    """
    scale_compression(axes, max([10.0, *compressions]))
    highest = float(accuracies.max()) if len(accuracies) else 100.0
    lowest = max(float(accuracies.min()) if len(accuracies) else 0.0, highest - DEEPEST)
    room = max(0.06 * (highest - lowest), 0.1)
    bottom, top = max(lowest - room, 0.0), min(highest + room, 100.0)
    axes.set_ylim(bottom, top)
    axes.yaxis.set_major_formatter(PLAIN)
    return bottom


def scale_scores(axes: Axes, scores: pandas.Series, chance: float) -> float:
    """Set a linear scale of scores and return the one at its lower edge, which cuts off scores below chance.

    If no score is above chance, nothing is cut off.
    """
    if scores.empty:
        return float(axes.get_ylim()[0])
    highest, lowest = float(scores.max()), float(scores.min())
    lowest = max(lowest, chance) if highest > chance else lowest
    room = 0.06 * max(highest - lowest, 1e-3)
    axes.set_ylim(lowest - room, highest + room)
    return lowest - room


def scale_compression(axes: Axes, largest: float) -> None:
    """Set a log scale of compression with round ticks, up to the largest."""
    axes.set_xscale("log")
    axes.set_xlim(1 / 1.1, 1.15 * largest)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if largest <= 500 else (1, 3) if largest <= 5000 else (1,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(PLAIN)


def scale_metric(axes: Axes, sign: float) -> None:
    """Label the heights of scores with the values of their metric, which have the other sign where less is better."""
    axes.yaxis.set_major_formatter(FuncFormatter(lambda score, _: f"{sign * score:g}"))


def ticks(bottom: float, top: float) -> list[float]:
    """Return the roundest accuracies between two limits that are far enough apart on the stretched scale."""
    gap = float(stretch(top) - stretch(bottom)) / 12
    ticks: dict[float, float] = {}
    for step in (50, 10, 5, 2, 1, 0.5, 0.2, 0.1):
        if step < 1 and len(ticks) > 3:
            break
        for tick in numpy.arange(0, 100 + step / 2, step).tolist():
            place = float(stretch(tick))
            if bottom <= tick <= top and all(abs(place - other) >= gap for other in ticks.values()):
                ticks[tick] = place
    return sorted(ticks)
