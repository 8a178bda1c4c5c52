"""The figure of many methods on one task: a panel for each family, with all other methods in grey."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pandas
from matplotlib.figure import Figure

from benchmark.records.schema import FAMILIES
from plots.axes import draw_runs, scale, shrink, stretch
from plots.registry import figure
from plots.results import measured
from plots.style import DENSE, figure_style, file_name, looks, names, save, sheet
from plots.summaries import budgets, failed, subtitle, summary

# The titles of panels that are not the name of their family. Families that FAMILIES lacks share the panel OTHER.
TITLES = {"penalty": "Penalties", "during training": "During and after training", "control": "Controls"}
OTHER = "Other"


@figure(("families", "families-mnist"), replaces_front=True)
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Write one figure for each task."""
    tasks = sorted(measured(frame)["task"].unique())
    return [file for task in tasks for file in save(panels(frame, task), figures / file_name(f"families-{task}"))]


def panels(frame: pandas.DataFrame, task: str) -> Figure:
    """Draw the figure of one task: test accuracy in percent over the compression ratio.

    Lines go through medians over seeds: if one of three seeds collapses, the mean is an accuracy that no run has.
    """
    frame = frame[frame["task"] == task]
    lines, runs = summary(frame), measured(frame)
    medians = runs.groupby(["method", "value"], as_index=False)[["density", "test_accuracy"]].median()
    medians["compression"] = 1 / medians["density"]
    left = medians[numpy.isfinite(medians["compression"])]  # points with weights left, by rising value
    runs = runs[numpy.isfinite(runs["compression"])]
    drawn = runs[runs["method"].isin(left["method"]) & (runs["method"] != "dense")]
    fronts = {method: left[left["method"] == method] for method in sorted(set(drawn["method"]))}
    shown, look = names(drawn), looks(drawn)
    panel = {family: TITLES.get(family, family.capitalize()) for family in FAMILIES}
    titles = dict(zip(drawn["method"], drawn["family"].map(panel).fillna(OTHER), strict=True))
    there = {title: [m for m in shown if titles[m] == title] for title in (*panel.values(), OTHER)}
    there = {title: methods for title, methods in there.items() if methods}
    caption = (
        "All values of each method at the median of its seeds, joined in the order of its knob. Small dots: runs. "
        "Grey: the methods of the other panels. Dashed: dense. "
        f"Runs without a result, in no median: {failed(frame)} of {len(frame)}."
    )
    caption += f" {budgets(frame)}." if budgets(frame) else ""
    rows = -(-len(there) // 2)
    with figure_style():
        title = f"{task}: which family keeps most?"
        drawing, sub = sheet(title, subtitle(frame, lines), caption, height=1.3 + 2.6 * rows)
        sub.supxlabel("compression ratio (prunable weights / weights left)", fontsize=9)
        sub.supylabel("test accuracy in % (log scale of the error)", fontsize=9)
        grid = sub.subplots(rows, 2, sharex=True, sharey=True, squeeze=False).flatten()
        for axes, (name, methods) in zip(grid, there.items(), strict=False):
            axes.set_yscale("function", functions=(stretch, shrink))
            for front in fronts.values():
                axes.plot(front["compression"], front["test_accuracy"], color="#dcdcdc", linewidth=1, zorder=1)
            for mean in lines.loc[lines["method"] == "dense", "test_mean"]:
                axes.axhline(mean, color=DENSE, linestyle="--", linewidth=1)
            for method in methods:
                colour, marker = look[method]
                draw_runs(axes, runs[runs["method"] == method], colour)
                line: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 4, "linewidth": 1.4}
                axes.plot("compression", "test_accuracy", data=fronts[method], label=shown[method], **line)
            axes.set_title(name)
            axes.legend(loc="lower left", fontsize=7, handlelength=1.6)
        for axes in grid[len(there) :]:
            axes.set_visible(False)
        scale(grid[0], largest=max([10, *left["compression"]]), highest=runs["test_accuracy"].max())
    return drawing
