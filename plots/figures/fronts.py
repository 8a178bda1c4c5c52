"""The figure of fronts: accuracy against compression, for every method on one task."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from moocore import is_nondominated

from plots.axes import draw_published, draw_runs, scale, scale_compression, scale_metric, scale_scores
from plots.given import Runs
from plots.literature import cited, published
from plots.looks import GREY, Look, looks, names
from plots.metrics import Metric, chances, metric_of, named
from plots.results import measured, of_task
from plots.style import figure_style, legend, save, sheet, show_dollars
from plots.summaries import budgets, failed, seeds, subtitle, summary, titled


def members(lines: pandas.DataFrame) -> pandas.DataFrame:
    """Return the front of one method: the lines of its summary that no other line beats, by rising compression.

    A line beats another in compression and mean *validation* accuracy; test accuracy chooses nothing. Lines without
    any weight left do not belong to the front.
    """
    lines = lines[numpy.isfinite(lines["compression"])].sort_values("compression")
    if lines.empty:
        return lines
    points = lines[["compression", "val_mean"]].to_numpy(dtype=float)
    return lines[is_nondominated(points, maximise=True, keep_weakly=True)]


def draw(frame: pandas.DataFrame, task: str, path: Path) -> list[Path]:
    """Write the figure of one task to <path>.png and <path>.svg; the folder must exist."""
    return save(front(frame, task), path)


def front(runs: Runs, task: str | None = None) -> Figure:
    """Draw the figure of one task: test accuracy in percent, or its other metric, over the compression ratio.

    `runs` is a table that `plots.load` returned, filtered as you like, or a list of such tables. The task may be left
    out if the runs are of a single one. Raises UsageError if there are no runs of the task.
    """
    frame = of_task(runs, task)
    metric = metric_of(frame)
    lines, finite = summary(frame), measured(frame)
    finite = finite[numpy.isfinite(finite["compression"])]
    look, shown = looks(finite), names(finite[finite["method"] != "dense"])
    marks = published(frame["task"].iloc[0], frame["label"].unique())
    with figure_style():
        title = titled(f"{frame['task'].iloc[0]}: {metric.name} against compression", frame)
        figure, panels = sheet(title, subtitle(frame, lines), _caption(frame, lines, marks))
        axes = panels.subplots()
        left = "effective weights" if (frame["counted"] == "effective").any() else "weights left"
        axes.set_xlabel(f"compression ratio (prunable weights / {left})")
        axes.set_ylabel(metric.label)
        _draw_dense(axes, metric, lines[lines["method"] == "dense"], finite[finite["method"] == "dense"])
        for method, name in shown.items():
            _draw_method(axes, name, look[method], *(table[table["method"] == method] for table in (lines, finite)))
        means = lines[numpy.isfinite(lines["compression"])]
        compressions = [*finite["compression"], *means["compression"]]
        if metric.is_accuracy:
            bottom = scale(axes, compressions, finite["test_accuracy"])
        else:
            scale_compression(axes, max([10.0, *compressions]))
            bottom = scale_scores(axes, finite["test_accuracy"], metric.chance)
            scale_metric(axes, metric.sign)
        draw_published(axes, marks, "test_accuracy")
        _draw_edge(axes, bottom, means[means["method"] != "dense"], look)
        legend(panels, axes.get_legend_handles_labels()[0])
    show_dollars(figure)
    return figure


def _draw_edge(axes: Axes, bottom: float, means: pandas.DataFrame, look: dict[str, Look]) -> None:
    """Draw the means below the lower edge on it."""
    for method, lost in means[means["test_mean"] < bottom].groupby("method"):
        colour, marker, _ = look[str(method)]
        axes.plot(lost["compression"], [bottom] * len(lost), marker, color=colour, alpha=0.6, clip_on=False)


def _draw_dense(axes: Axes, metric: Metric, dense: pandas.DataFrame, runs: pandas.DataFrame) -> None:
    draw_runs(axes, runs, GREY)
    for mean, std in zip(dense["test_mean"], dense["test_std"].fillna(0), strict=True):
        text = f"{mean:.1f} %" if metric.is_accuracy else metric.text(mean)
        axes.axhline(mean, color=GREY, linestyle="--", linewidth=1.2, label=f"dense {text}")
        axes.axhspan(mean - std, mean + std, color=GREY, alpha=0.15, linewidth=0)


def _draw_method(axes: Axes, name: str, look: Look, lines: pandas.DataFrame, runs: pandas.DataFrame) -> None:
    colour, marker, dash = look
    chosen = members(lines)
    x, y = chosen["compression"], chosen["test_mean"]
    draw_runs(axes, runs, colour)
    others = lines[~lines.index.isin(chosen.index)]
    axes.plot(others["compression"], others["test_mean"], marker, color=colour, markerfacecolor="white", alpha=0.6)
    axes.errorbar(x, y, yerr=chosen["test_std"], fmt="none", color=colour, elinewidth=1.2, capsize=2)
    axes.plot(x, y, color=colour, marker=marker, dashes=dash, label=name)


def _caption(frame: pandas.DataFrame, lines: pandas.DataFrame, marks: pandas.DataFrame) -> str:
    text = (
        "Small dots: runs. Lines: each method's values that none of its others beats in compression and mean "
        f"validation {named(frame)}, at their mean on test data; hollow: its other values; at the lower edge: "
        "means below it."
    )
    if lines["n"].max() > 1:
        text += f" Bars, and the band of dense: one standard deviation over {seeds(lines)}."
    if lines["missed"].sum():
        text += f" A run that diverged or kept no weight counts in a mean as {chances(frame)}."
    text += f" {budgets(frame)}." if budgets(frame) else ""
    empty = int(numpy.isinf(measured(frame)["compression"]).sum())
    missing = {"without a result": failed(frame), "with no weight left": empty}
    text += cited([marks])
    if any(missing.values()):
        text += f" Runs not drawn: {', '.join(f'{count} {why}' for why, count in missing.items() if count)}."
    return text
