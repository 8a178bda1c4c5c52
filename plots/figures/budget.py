"""The figure of budgets: who profits from training longer, and where the strict zero meets the validated one."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from plots.axes import PLAIN, scale_metric
from plots.comparisons import NEAR, intervals, near_best
from plots.files import write_table
from plots.looks import GREY, looks, names
from plots.metrics import metric_of, with_values
from plots.readings import read_at, seed_curves
from plots.registry import figure
from plots.results import AT_SETTING, load, measured
from plots.style import figure_style, file_name, legend, save, sheet
from plots.summaries import seeds, stale

COMPRESSIONS = (20, 100, 300)
DEEPEST = 8  # points below the best at the lower edge
STRICT, VALIDATED = "strict", "validated"


def longest(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the runs of the longest budget for which the most methods were measured."""
    methods = measured(runs).groupby("epochs")["method"].nunique()
    return runs[runs["epochs"] == methods[methods == methods.max()].index.max()]


@figure(("budget",), replaces_front=True, choose=longest)
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Write <folder>/budgets.csv and one figure for each task."""
    table = readings(frame, STRICT)
    if not _penalties(frame).empty:
        validated = _penalties(load(folder, "validated", AT_SETTING))
        table = pandas.concat([table, readings(validated, VALIDATED)])
    written = [folder / "budgets.csv"]
    values = with_values(table, frame, "test_accuracy", "low", "high")
    write_table(
        written[0], values.assign(low=values[["low", "high"]].min(axis=1), high=values[["low", "high"]].max(axis=1))
    )
    for task in sorted(frame["task"].unique()):
        drawing = budget_figure(frame[frame["task"] == task], table[table["task"] == task])
        written += save(drawing, figures / file_name(f"budget-{task}"))
    return written


def readings(runs: pandas.DataFrame, zero: str) -> pandas.DataFrame:
    """Return the mean accuracy of each method at each compression and number of epochs, with its 95 % interval.

    A method with one seed has no interval, since nothing shows that its seeds differ as those of others do.
    """
    rows = []
    for (task, epochs), same in runs[runs["method"] != "dense"].groupby(["task", "epochs"]):
        for at, here in read_at(seed_curves(same), COMPRESSIONS).groupby("at"):
            samples = {str(method): own["test_accuracy"].tolist() for method, own in here.groupby("method")}
            metric = metric_of(same[same["task"] == task])
            best = max(float(numpy.mean(sample)) for sample in samples.values())
            near = near_best(samples, metric.margin(NEAR, best))
            found = intervals(samples).assign(**intervals(near)[["low", "high"]])
            found.loc[found["n"] < 2, ["low", "high"]] = numpy.nan
            found.insert(1, "asked", here.groupby("method")["asked"].max())
            rows += [(task, zero, at, *line, epochs) for line in found.itertuples()]
    columns = ["task", "zero", "at", "method", "n", "asked", "test_accuracy", "low", "high", "epochs"]
    return pandas.DataFrame(rows, columns=columns)


def budget_figure(runs: pandas.DataFrame, table: pandas.DataFrame) -> Figure:
    """Draw a panel for each compression of one task: test accuracy over the number of epochs, a line a method.

    `runs` names and colours the methods and holds the dense runs; `table` has the columns of `readings`.
    """
    metric = metric_of(runs)
    caption = (
        f"Test {metric.directed} at exactly the compression, read log-linearly between values, as means over seeds; "
        "bars: 95 % intervals of the mean, with the variance pooled over the methods near the best; a method with one "
        "seed has none. Solid: the zero of the runs; dashed, for penalties: the validated zero. A line has no mark "
        "where the front does not reach the compression. Grey: dense. "
        f"Means more than {DEEPEST} {metric.unit} below the best are not shown."
    )
    counts = measured(runs).groupby(["method", "value", "epochs"]).agg(n=("seed", "size"))
    counts["asked"] = runs.groupby(["method", "value", "epochs"])["seed"].size()
    with figure_style():
        drawing, panels = sheet(
            f"{runs['task'].iloc[0]}: {metric.name} over the training budget",
            ", ".join(filter(None, [seeds(counts), "one learning rate a method", stale(runs)])),
            caption,
            height=4.6,
            width=11,
        )
        axes = panels.subplots(1, len(COMPRESSIONS), sharey=True)
        dense = measured(runs)[lambda own: own["method"] == "dense"].groupby("epochs")["test_accuracy"].mean()
        for panel, at in zip(axes, COMPRESSIONS, strict=True):
            panel.plot(dense.index, dense, color=GREY, linestyle=":", linewidth=1.2)
            panel.set_title(f"compression {at}")
            panel.set_xlabel("epochs")
            _draw(panel, table[table["at"] == at], runs)
        axes[0].set_ylabel(metric.label)
        best = max([*dense, *table["test_accuracy"]], default=100)
        axes[0].set_ylim(best - metric.margin(DEEPEST, best), best + metric.margin(0.5, best))
        if not metric.is_accuracy:
            scale_metric(axes[0], metric.sign)
        handles = {label: line for a in axes for line, label in zip(*a.get_legend_handles_labels(), strict=True)}
        legend(panels, [*handles.values()], fontsize=8)
    return drawing


def _draw(axes: Axes, table: pandas.DataFrame, runs: pandas.DataFrame) -> None:
    look = looks(runs)
    epochs = sorted(runs["epochs"].unique())
    for method, name in names(runs).items():
        colour, marker, _ = look[method]
        for zero, line in ((VALIDATED, "--"), (STRICT, "-")):
            own = table[(table["method"] == method) & (table["zero"] == zero)].set_index("epochs").reindex(epochs)
            if own["test_accuracy"].isna().all():
                continue
            axes.plot(epochs, own["test_accuracy"], line, color=colour, marker=marker, markersize=4, linewidth=1.4,
                      markerfacecolor=colour if zero == STRICT else "white", label=name)  # fmt: skip
            axes.vlines(epochs, own["low"], own["high"], color=colour, linewidth=0.9)
    axes.set_xscale("log")
    axes.set_xticks(epochs)
    axes.xaxis.set_major_formatter(PLAIN)
    axes.xaxis.set_minor_locator(NullLocator())
    if len(epochs) > 1:
        axes.set_xlim(float(epochs[0]) / 1.3, float(epochs[-1]) * 1.3)


def _penalties(runs: pandas.DataFrame) -> pandas.DataFrame:
    return runs[runs["penalty"].notna() & (runs["knob"] != "density")]
