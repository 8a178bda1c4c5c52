"""The figures of attainment: what the worst, the median and the best seed reach, and where two methods differ."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from plots.axes import PLAIN, scale_metric
from plots.figures.below_dense import drawn_looks, edges, points_above_dense
from plots.looks import names
from plots.metrics import metric_of, named
from plots.readings import seed_curves
from plots.registry import COMPARISONS, figure
from plots.results import measured
from plots.statistics.accuracy import CONTROL
from plots.statistics.attainment import attainment_difference, attainment_table
from plots.style import figure_style, file_name, save, sheet, wrapped
from plots.summaries import seeds, summary, titled

COLUMNS = 4
NEAREST, FARTHEST = 2, 1000  # compressions at the left and the right edge


@figure(COMPARISONS)
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Draw the attainment of each task with a dense run and a value of two seeds."""
    written = []
    for task in sorted(measured(frame).query("method == 'dense'")["task"].unique()):
        own = frame[frame["task"] == task]
        if summary(own)["n"].max() > 1 and set(own["method"]) != {"dense"}:
            written += save(attainment(own), figures / file_name(f"attainment-{task}"))
    return written


def attainment(runs: pandas.DataFrame) -> Figure:
    """Draw the best methods of each family on one task: a panel for each, with the surfaces of its seeds."""
    readings = points_above_dense(runs)
    drawn, (lowest, highest) = drawn_looks(runs, readings), edges(readings, runs)
    dense = measured(runs).query("method == 'dense'")["test_accuracy"].mean()
    table = attainment_table(seed_curves(runs[runs["method"] != "dense"]), runs)
    metric = metric_of(runs)
    table["points"] = metric.gain(table["test_accuracy"], dense)
    best = table.loc[table["method"].isin(list(drawn)) & (table["compression"] >= NEAREST), "points"].max()
    limits = lowest, max(highest, 1.05 * best)
    caption = (
        f"Line: at least half of the seeds have a run as good in compression and {metric.name} (empirical attainment "
        f"function); shaded: from all seeds to one. Heights: {metric.better_than('dense')}. Dotted: the line "
        f"of {CONTROL}. Each run at its own compression; "
        f"the values are those that none of the method's others beats in compression and mean validation {metric.name}."
    )
    rows = max(-(-len(drawn) // COLUMNS), 1)
    with figure_style():
        drawing, panels = sheet(
            titled(f"{runs['task'].iloc[0]}: worst, median and best seed", runs),
            seeds(summary(runs)),
            caption,
            height=1.5 + 1.9 * rows,
            width=9.5,
        )
        axes = panels.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
        for panel in axes.flat[len(drawn) :]:
            panel.set_axis_off()
        for panel, (method, (colour, *_)) in zip(axes.flat, drawn.items(), strict=False):
            own = {str(name): part for name, part in table[table["method"] == method].groupby("attained_by")}
            grid = numpy.geomspace(1, FARTHEST, 400)
            worst = numpy.nan_to_num(_steps(own["worst"], grid), nan=-100.0)  # one of the seeds does not come so far
            panel.fill_between(grid, worst, _steps(own["best"], grid), color=colour, alpha=0.25, lw=0)
            panel.plot(grid, _steps(own["median"], grid), color=colour)
            control = table[(table["method"] == CONTROL) & (table["attained_by"] == "median")]
            panel.plot(grid, _steps(control, grid), ":", color="#6e6e6e", linewidth=1)
            panel.set_title(wrapped(names(runs)[method], 28))
            _scale(panel, limits)
            if own["best"].query("compression >= @NEAREST")["points"].max() <= lowest:
                panel.text(0.5, 0.05, "no seed reaches this range", ha="center", fontsize=8, transform=panel.transAxes)
        for panel in axes[:, 0]:
            panel.set_ylabel("points above dense" if metric.is_accuracy else "% better than dense")
        for panel in axes.flat[max(len(drawn) - COLUMNS, 0) : len(drawn)]:
            panel.set_xlabel("compression ratio")
            panel.tick_params(labelbottom=True)
    return drawing


def attainment_differences(runs: pandas.DataFrame, first: str, second: str) -> Figure:
    """Draw where the seeds of one method attain more than those of another, on one task."""
    curves, task = seed_curves(runs), str(runs["task"].iloc[0])
    shown = names(runs)
    caption = (
        f"Colour: the percentage of the seeds of {shown[first]} that have a run that is as good in compression and "
        f"{named(runs)}, minus that of {shown[second]}; white: equal."
    )
    with figure_style():
        drawing, panels = sheet(
            titled(f"{task}: {shown[first]} against {shown[second]}", runs), seeds(summary(runs)), caption, height=4.4
        )
        axes = panels.subplots()
        rectangles = attainment_difference(curves, runs, task, first, second)
        corners = rectangles[:, [1, 3]][numpy.isfinite(rectangles[:, [1, 3]])]
        top = float(corners.max()) if len(corners) else 100.0
        metric = metric_of(runs)
        left, bottom = 1.0, max(top - 12, 0) if metric.is_accuracy else top - metric.margin(12, top)
        colours = ScalarMappable(Normalize(-100, 100), "PuOr")  # violet for the first method, orange for the second
        for x, y, far, high, share in rectangles:
            low, start = max(y, bottom), max(x, left)
            if high > low and far > start and share:
                colour = colours.to_rgba(100 * share)
                axes.add_patch(Rectangle((start, low), far - start, high - low, facecolor=colour, linewidth=0))
        bar = drawing.colorbar(colours, ax=axes, ticks=[-100, -50, 0, 50, 100])
        bar.set_label(f"{shown[second]}   \N{LEFTWARDS ARROW}   %   \N{RIGHTWARDS ARROW}   {shown[first]}", fontsize=8)
        axes.set_xscale("log")
        axes.set_xlim(left, max(10.0, float(rectangles[:, 2].max()) * 1.1))
        axes.set_ylim(bottom, top + 0.05 * (top - bottom))
        axes.xaxis.set_major_formatter(PLAIN)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("compression ratio")
        axes.set_ylabel(metric.label)
        if not metric.is_accuracy:
            scale_metric(axes, metric.sign)
    return drawing


def _steps(surface: pandas.DataFrame, grid: numpy.ndarray) -> numpy.ndarray:
    """Return the points that a surface reaches at least at each compression; NaN beyond its end."""
    corners = surface.sort_values("compression")
    place = numpy.searchsorted(corners["compression"].to_numpy(), grid * 0.9999)
    return numpy.append(corners["points"].to_numpy(), numpy.nan)[place]


def _scale(axes: Axes, limits: tuple[float, float]) -> None:
    axes.set_xscale("log")
    axes.set_xlim(NEAREST, FARTHEST)
    axes.set_xticks([NEAREST, 10, 50, 200, 1000])
    axes.xaxis.set_major_formatter(PLAIN)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(limits)
    axes.axhline(0, color="#6e6e6e", linestyle="-", linewidth=0.6)
