"""The figure of training over time: the metric, compression, misalignment and norm of the weights over the epochs."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from plots.axes import PLAIN, scale_metric, shrink, stretch
from plots.looks import names
from plots.metrics import metric_of
from plots.registry import figure
from plots.results import VALUE, traces
from plots.style import figure_style, file_name, legend, save, sequence, sheet
from plots.summaries import failed, subtitle, summary, titled

METRICS = ("val_accuracy", "density", "relative_misalignment", "weight_norm")
ROWS = {
    "val_accuracy": "",  # named by the metric of the task
    "compression": "compression\nratio",
    "relative_misalignment": "relative\nmisalignment",
    "weight_norm": "norm of\nweights",
}


@figure(("dynamics",), replaces_front=True)
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Write one figure for each task."""
    table = courses(folder, frame)
    drawn = [
        save(grid(frame, table, task), figures / file_name(f"dynamics-{task}"))
        for task in sorted(table["task"].unique())
    ]
    return [file for files in drawn for file in files]


def courses(folder: Path, frame: pandas.DataFrame) -> pandas.DataFrame:
    """Return mean, min and max over seeds, one line for each task, method, value, row of the figure and epoch.

    As in every summary, the mean compression is 1 / mean density; it is NaN if no weight is left.
    """
    table = traces(folder, frame, METRICS)
    long = table.melt([*VALUE, "epoch"], METRICS, var_name="row", value_name="number")
    course = long.groupby([*VALUE, "row", "epoch"], as_index=False)["number"].agg(["mean", "min", "max"])
    dense = course["row"] == "density"
    densities = course.loc[dense, ["mean", "max", "min"]].replace(0, numpy.nan)
    course.loc[dense, ["mean", "min", "max"]] = 1 / densities.to_numpy()
    return course.replace({"row": {"density": "compression"}})


def grid(frame: pandas.DataFrame, table: pandas.DataFrame, task: str) -> Figure:
    """Draw the figure of one task: a column for each method, a row for each metric, a line for each value."""
    frame, table = frame[frame["task"] == task], table[table["task"] == task]
    methods = names(frame[frame["method"].isin(table["method"])])
    values = sorted(table["value"].unique())
    colours = dict(zip(values, sequence(len(values)), strict=True))
    caption = (
        "Lines: means over seeds; bands: their least and largest. Epoch 0 is the start. Relative misalignment: the "
        "share of the factors' penalty that the same weights would not pay if their factors were of one magnitude."
    )
    metric = metric_of(frame)
    rows = ROWS | {"val_accuracy": metric.narrow_label_on("validation")}
    if metric.is_accuracy:
        rows["val_accuracy"] += "\n(log of error)"
    if count := failed(frame):
        caption += f" Runs not drawn: {count} without a result."
    with figure_style():
        drawing, panels = sheet(
            titled(f"{task}: sparsity and balance over training", frame),
            subtitle(frame, summary(frame)),
            caption,
            height=6.2,
        )
        panels.supxlabel("epoch", fontsize=9)
        axes = panels.subplots(len(rows), len(methods), sharex=True, sharey="row", squeeze=False)
        for row, (name, text) in zip(axes, rows.items(), strict=True):
            for panel, method in zip(row, methods, strict=True):
                own = table[(table["row"] == name) & (table["method"] == method)]
                for value, course in own.groupby("value"):
                    _draw_course(panel, course, colours[value])
                panel.tick_params(labelsize=8)
            row[0].set_ylabel(text, fontsize=8)
        for panel, method in zip(axes[0], methods, strict=True):
            panel.set_title(methods[method].replace(" ", "\n"))
        if metric.is_accuracy:
            axes[0, 0].set_yscale("function", functions=(stretch, shrink))  # a linear scale would squeeze the end
            axes[0, 0].yaxis.set_major_locator(FixedLocator([10, 50, 80, 90, 95, 98]))
            axes[0, 0].set_ylim(max(0, axes[0, 0].get_ylim()[0]), min(100, axes[0, 0].get_ylim()[1]))
        else:
            scale_metric(axes[0, 0], metric.sign)
        axes[1, 0].set_yscale("log")
        axes[1, 0].yaxis.set_major_formatter(PLAIN)
        axes[1, 0].yaxis.set_minor_locator(NullLocator())
        axes[0, 0].xaxis.set_major_locator(MaxNLocator(4, integer=True))
        panels.align_ylabels()
        knob = " or ".join(sorted(table["knob"].unique()))
        handles = [Line2D([], [], color=colours[value], label=f"{value:g}") for value in values]
        legend(panels, handles, knob)
    return drawing


def _draw_course(axes: Axes, course: pandas.DataFrame, colour: str) -> None:
    axes.fill_between(course["epoch"], course["min"], course["max"], color=colour, alpha=0.2, linewidth=0)
    axes.plot(course["epoch"], course["mean"], color=colour, linewidth=1.4)
