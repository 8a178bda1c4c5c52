"""The figure of points below dense: what a compression costs, for the best methods of each family."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from plots.axes import PLAIN, draw_published
from plots.comparisons import intervals, near_best
from plots.literature import cited, published
from plots.looks import Look, looks, names
from plots.metrics import chances, metrics_of, named, task_metrics
from plots.readings import COMPRESSION, read_at, seed_curves
from plots.results import measured
from plots.style import figure_style, legend, sheet
from plots.summaries import failed, seeds, summary, titled

# Methods of each family that are drawn; the others are grey.
DRAWN = {"factorization": 3, "penalty": 2, "during training": 2, "dynamic": 1, "before training": 1}
GREY = "#d6d6d6"
DEEPEST = 8  # points below dense at the lower edge
DEEPEST_PERCENT = 50  # the same of another metric, whose losses in percent may be much larger
READ = numpy.geomspace(2, 2000, 121).tolist()  # compressions that are read
READ_FROM_ONE = [*numpy.geomspace(1, 2, 13)[:-1].tolist(), *READ]  # speed-ups, which may be smaller
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
MARKED = {
    READ[int(numpy.abs(numpy.log(numpy.array(READ) / x)).argmin())] for x in (2, 5, 10, 20, 50, 100, 200, 500, 1000)
}


def below_dense(
    runs: pandas.DataFrame | Sequence[pandas.DataFrame], title: str = "", axes: Sequence[str] = (COMPRESSION,)
) -> Figure:
    """Draw how much better than dense methods are over compression, a panel for each task, with 95 % bands of the mean.

    Heights are points of test accuracy, or percent of another metric. `runs` is a table that `plots.load` returned, or
    several. Tasks without a dense run have no panel. The best methods of each family are drawn, by mean accuracy over
    the logarithm of compression; all others are grey. With several `axes` of `plots.readings.SHARES`, each task has a
    panel for each: the same runs, counted in another way.
    """
    table = runs if isinstance(runs, pandas.DataFrame) else pandas.concat(runs, ignore_index=True)
    readings = {axis: points_above_dense(table, axis=axis) for axis in axes}
    tasks = list(dict.fromkeys(readings[axes[0]]["task"]))
    places = [(task, axis) for task in tasks for axis in axes]
    marks = {task: published(task, table["label"].unique()) for task in tasks}
    drawn = drawn_looks(table, *readings.values())
    means = {axis: bands(own, drawn) for axis, own in readings.items()}
    limits = edges(readings[axes[0]], table)
    lines = summary(table)
    metrics = task_metrics(table)
    unit = " or ".join(dict.fromkeys(each.unit for each in metrics_of(table)))
    banded = any(own["low"].notna().any() for own in means.values())
    grey = any(not own["method"].isin(drawn).all() for own in means.values())
    caption = (
        f"Lines: {'means over seeds' if lines['n'].max() > 1 else 'one seed'}, read log-linearly between the method's "
        "values and never beyond the last; each value counts as the one best in mean validation "
        f"{named(table)} among those of its compression or a larger one, and a line is flat before its first value. "
        + f"Bands: 95 % intervals of the mean, with the variance pooled over the drawn methods within 5 {unit} of the "
        "best. " * banded + f"A run that diverged or kept no weight counts as {chances(table)}. Runs without a result: "
        f"{failed(table)} of {len(table)}.{' Grey: all others.' * grey}{cited(marks.values())}"
    )
    counted = seeds(lines)
    with figure_style():
        drawing, panels = sheet(
            titled(title or "The cost of compression", table),
            counted,
            caption,
            height=4.4,
            width=2.2 + 3.9 * max(len(places), 1),
        )
        shown = panels.subplots(1, max(len(places), 1), sharey=True, squeeze=False)[0]
        if not places:
            shown[0].set_axis_off()
            shown[0].text(0, 0.9, "No task has a dense run and a sparse one with weights left.")
        for panel, (task, axis) in zip(shown, places, strict=False):
            of_task = means[axis]["task"] == task
            _draw(panel, means[axis][of_task], drawn, names(table), limits)
            if axis == COMPRESSION:
                draw_published(panel, marks[task], "points")
            dense = lines.loc[(lines["task"] == task) & (lines["method"] == "dense"), "test_mean"]
            metric = metrics[task]
            full = f"{dense.mean():.1f} %" if metric.is_accuracy else metric.text(dense.mean())
            panel.set_title(f"{task} (dense: {full})")
            panel.set_xlabel(axis)
        shown[0].set_ylabel(
            "\nor ".join(each.better_than("dense").replace(" in ", "\nin ") for each in metrics_of(table))
        )
        handles = {label: handle for a in shown for handle, label in zip(*a.get_legend_handles_labels(), strict=True)}
        legend(panels, [*handles.values()], fontsize=8)
    return drawing


def drawn_looks(table: pandas.DataFrame, *readings: pandas.DataFrame) -> dict[str, Look]:
    """Return the looks of the methods that figures draw in colour: the best of each family in one of the readings."""
    look = looks(table)
    best = set().union(*(best_methods(one, table) for one in readings))
    return {method: look[method] for method in names(table) if method in best}


def points_above_dense(
    table: pandas.DataFrame, compressions: Sequence[float] | None = None, axis: str = COMPRESSION
) -> pandas.DataFrame:
    """Return the readings of all methods, with their points above the mean of dense; none of tasks without dense.

    For another metric than accuracy the points are percent of dense's value, positive where a method is better.
    """
    if compressions is None:
        compressions = READ_FROM_ONE if axis.endswith("speed-up") else READ
    readings = read_at(seed_curves(table[table["method"] != "dense"], axis), compressions)
    dense = measured(table[table["method"] == "dense"]).groupby("task")["test_accuracy"].mean()
    metrics = task_metrics(table)
    parts = [readings.head(0).assign(points=0.0)]
    for task, own in readings[readings["task"].isin(dense.index)].groupby("task"):
        gain = metrics[str(task)].gain(own["test_accuracy"], float(dense[task]))
        parts.append(own.assign(points=gain))
    return pandas.concat(parts if len(parts) == 1 else parts[1:])


def bands(readings: pandas.DataFrame, drawn: Collection[str]) -> pandas.DataFrame:
    """Return n, asked, mean, low and high of the points above dense, one line for each task, compression and method.

    low and high are the 95 % interval of the mean of the drawn methods, with the variance pooled over those that are
    within 5 points of the best; the others have none.
    """
    parts = [pandas.DataFrame(columns=["task", "at", "method", "n", "asked", "mean", "low", "high"])]
    for (task, at), here in readings.groupby(["task", "at"]):
        samples = {str(method): own["points"].tolist() for method, own in here.groupby("method") if method in drawn}
        table = here.groupby("method").agg(n=("seed", "size"), asked=("asked", "max"), mean=("points", "mean"))
        table = table.join(intervals(near_best(samples))[["low", "high"]]).reset_index()
        parts.append(table.assign(task=str(task), at=float(str(at))))
    columns = parts[0].columns
    return pandas.concat([part for part in parts if len(part)] or parts, ignore_index=True).reindex(columns=columns)


def best_methods(readings: pandas.DataFrame, runs: pandas.DataFrame) -> set[str]:
    """Return the best methods of each family, by mean accuracy over the logarithm of compression."""
    family = measured(runs).drop_duplicates("method").set_index("method")["family"]
    lowest, _ = edges(readings, runs)
    clipped = readings.assign(gain=readings["points"].clip(lower=lowest) - lowest)
    per_seed = clipped.groupby(["task", "method", "seed"])["gain"].sum().groupby(["task", "method"]).mean()
    score = per_seed.groupby("method").mean().sort_values(ascending=False)
    by_family = {name: [m for m in score.index if family[m] == name] for name in DRAWN}
    return {method for name, own in by_family.items() for method in own[: DRAWN[name]]}


def edges(readings: pandas.DataFrame, runs: pandas.DataFrame) -> tuple[float, float]:
    """Return the lower and upper edge of heights above dense, by `points_above_dense`.

    The lower one is 8 points below dense, or twice the median loss of another metric in percent, 8 to 50. No mean is
    above the upper one.
    """
    means = readings.groupby(["task", "at", "method"])["points"].mean()
    accuracy = means.empty or all(metric.is_accuracy for metric in metrics_of(runs))
    lowest = -DEEPEST if accuracy else -float(numpy.clip(-2 * means.median(), DEEPEST, DEEPEST_PERCENT))
    return lowest, max(-lowest / 10, 1.05 * means.max()) if len(means) else -lowest / 10


def _draw(
    axes: Axes, table: pandas.DataFrame, drawn: dict[str, Look], shown: dict[str, str], limits: tuple[float, float]
) -> None:
    axes.set_ylim(limits)
    if table.empty:
        axes.set_xticks([])
        axes.text(0.5, 0.5, "no method reaches this range", ha="center", transform=axes.transAxes)
        return
    wide = table.pivot(index="at", columns="method")  # NaN, and so no band, across a gap
    means = pandas.DataFrame(wide["mean"])
    at = means.index.to_numpy(dtype=float)
    for method in means.columns.difference(list(drawn)):
        axes.plot(at, means[method], color=GREY, linewidth=0.8, zorder=1)
    marked = [place for place, compression in enumerate(at) if compression in MARKED]
    for method, (colour, marker, dash) in drawn.items():
        if method in means:
            label = shown[method] + " (below)" * bool(means[method].max() <= limits[0])
            axes.plot(at, means[method], color=colour, marker=marker, dashes=dash, markevery=marked, label=label)
            low, high = (wide[edge][method].to_numpy(dtype=float) for edge in ("low", "high"))
            axes.fill_between(at, low, high, color=colour, alpha=0.13, lw=0)
    axes.axhline(0, color="#6e6e6e", linestyle=":", linewidth=1.2)
    reached = means[(means > limits[0]).any(axis=1)].index
    axes.set_xscale("log")
    left, farthest = means.index.min(), reached.max() if len(reached) else means.index.max()
    right = max(farthest, 1.1 * left)
    axes.xaxis.set_major_formatter(PLAIN)
    ticks = [x for x in TICKS if left <= x <= right]
    axes.set_xticks(ticks if len(ticks) > 2 else MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(left, right))
    axes.set_xlim(left, right)
    axes.xaxis.set_minor_locator(NullLocator())
