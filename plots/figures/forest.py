"""The figure of differences: every method against one of them at exactly the same compressions, with intervals."""

from __future__ import annotations

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.records.schema import FAMILIES
from plots.comparisons import differences, near_best
from plots.given import Runs
from plots.looks import Look, looks, names
from plots.metrics import metric_of
from plots.readings import read_at, seed_curves
from plots.results import of_task
from plots.style import figure_style, in_paper, sheet, shortened
from plots.summaries import seeds, summary, titled

COMPRESSIONS = (5, 20, 50, 100, 200, 500)
EDGE = 3  # points, or percent of another metric, at the left and right edge


def forest(runs: Runs, task: str | None = None, control: str = "gmp") -> Figure:
    """Draw how much better than `control` methods are, a panel for each compression, a line for each method.

    Marks are at points of test accuracy, or percent of another metric. Bars are Dunnett's simultaneous 95 % intervals;
    a mark is hollow if its interval holds zero. Runs and task are as in `plots.front`. Differences of
    more than 3 points or percent, or without an interval, are numbers at the edge.
    """
    frame = of_task(runs, task)
    readings = read_at(seed_curves(frame), COMPRESSIONS)
    metric = metric_of(frame)
    family = dict(zip(frame["method"], frame["family"], strict=True))
    places = {name: place for place, name in enumerate(FAMILIES)}
    means = readings.groupby("method")["test_accuracy"].mean()
    methods = sorted(means.index, key=lambda m: (places.get(family[m], len(places)), -means[m]))
    caption = (
        f"Marks: {metric.better_than(control)} at the same compression, read log-linearly between values. Bars: "
        f"Dunnett's simultaneous 95 % intervals, variance pooled over the methods within 5 {metric.unit} of the best; "
        f"hollow: the interval holds zero. Numbers: more than 3 {metric.unit} worse or better, or without an interval, "
        f"since the method or {control} is farther from the best. Empty: the method was not run so far, or has a "
        "single run there."
    )
    # Half a column has room for two panels.
    reached = set(readings.loc[readings["method"] == control, "at"])
    wanted, width = ((20, 200), 5.0) if in_paper() else (COMPRESSIONS, 10.0)
    compressions = [compression for compression in wanted if compression in reached] or list(wanted)
    with figure_style():
        drawing, panels = sheet(
            titled(f"{frame['task'].iloc[0]}: {metric.better_than(control)}", frame),
            seeds(summary(frame)),
            caption,
            1.9 + 0.19 * len(methods),
            width=width,
        )
        axes = panels.subplots(1, len(compressions), sharey=True, squeeze=False)[0]
        for panel, compression in zip(axes, compressions, strict=True):
            here = readings[readings["at"] == compression]
            base = here.loc[here["method"] == control, "test_accuracy"].mean()
            gains = here.assign(gain=metric.gain(here["test_accuracy"], base))
            samples = {str(m): own["gain"].tolist() for m, own in gains.groupby("method") if len(own) > 1}
            panel.set_title(f"CR {compression}")
            _draw(panel, samples, control, methods, looks(frame))
        axes[0].set_yticks(range(len(methods)), [shortened(names(frame)[method]) for method in methods], fontsize=8)
        axes[0].set_ylim(len(methods) - 0.5, -0.5)
    return drawing


def has_readings(runs: pandas.DataFrame, method: str) -> bool:
    """Say whether a method has an accuracy at one of the compressions that the figure of these runs shows."""
    return not read_at(seed_curves(runs[runs["method"] == method]), COMPRESSIONS).empty


def _draw(axes: Axes, samples: dict[str, list[float]], control: str, methods: list[str], look: dict[str, Look]) -> None:
    axes.axvline(0, color="#6e6e6e", linewidth=1)
    axes.set_xlim(-EDGE, EDGE)
    axes.set_xticks([-2, 0, 2])
    axes.tick_params(labelsize=8)
    if control not in samples:
        return
    table = differences(near_best(samples), control) if control in near_best(samples) else pandas.DataFrame()
    shown = table[table["difference"].abs() <= EDGE] if len(table) else table
    for place, method in enumerate(methods):
        colour, marker, _ = look[method]
        if method == control:
            axes.plot([0], [place], "|", color=colour, markersize=8)
        elif method in shown.index:
            line = shown.loc[method]
            hollow = not line["low"] * line["high"] > 0
            axes.plot(line[["low", "high"]], [place, place], color=colour, linewidth=1.2)
            axes.plot(line["difference"], place, marker, color=colour, mfc="white" if hollow else colour)
        elif method in samples:
            gain = float(numpy.mean(samples[method]) - numpy.mean(samples[control]))
            edge, side = (EDGE, "right") if gain > 0 else (-EDGE, "left")
            axes.text(edge, place, f" {gain:+.1f} ", fontsize=7, color=colour, ha=side, va="center")
