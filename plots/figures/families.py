"""Many methods on one task: a panel a family, with all others in grey behind it."""

from itertools import cycle
from pathlib import Path
from typing import Any

import numpy
import pandas
from matplotlib.figure import Figure

from plots.axes import draw_runs, scale, shrink, stretch
from plots.results import measured
from plots.style import DENSE, figure_style, labels, order, save, sheet
from plots.summary import budgets, failures, subtitle, summary

# By the name in front of a method's options; what is not named here stands with the penalties.
FAMILIES = {
    "Factorization": ("dwf",),
    "Penalties": ("l1", "prox-l1", "prox-lq", "str"),
    "During and after training": ("magnitude", "powerprop", "ham", "gmp", "acdc", "imp"),
    "Before training": ("snip", "synflow", "grasp", "magnitude-init", "random"),
    "Dynamic": ("set", "rigl"),
    "Controls": ("control", "narrow"),
}
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def family(method: str) -> str:
    """The family of a method in its written form."""
    name = method.partition("[")[0]
    return next((family for family, names in FAMILIES.items() if name in names), "Penalties")


def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Write a figure a task."""
    tasks = sorted(measured(frame)["task"].unique())
    return [file for task in tasks for file in save(panels(frame, task), figures / f"families-{task}")]


def panels(frame: pandas.DataFrame, task: str) -> Figure:
    """The figure of one task: test accuracy in percent over the compression ratio.

    Lines go through medians over seeds: where one seed in three collapses, a mean is what no run has.
    """
    frame = frame[frame["task"] == task]
    lines, runs = summary(frame), measured(frame)
    medians = runs.groupby(["method", "value"], as_index=False)[["density", "test_accuracy"]].median()
    medians["compression"] = 1 / medians["density"]
    left = medians[numpy.isfinite(medians["compression"])]  # with weights; by rising value
    fronts = {method: left[left["method"] == method] for method in sorted(set(left["method"]) - {"dense"})}
    runs = runs[numpy.isfinite(runs["compression"])]
    there = {name: [method for method in order(fronts) if family(method) == name] for name in FAMILIES}
    there = {name: methods for name, methods in there.items() if methods}
    caption = (
        "All values of each method at the median of its seeds, joined in the order of its knob. Small dots: runs. "
        "Grey: the methods of the other panels. Dashed: dense. "
        f"Runs without a result, in no median: {failures(frame)} of {len(frame)}."
    )
    caption += f" {budgets(frame)}." if budgets(frame) else ""
    names = labels(fronts)
    rows = -(-len(there) // 2)
    with figure_style():
        title = f"{task}: which family keeps most?"
        figure, sub = sheet(title, subtitle(frame, lines), caption, height=1.3 + 2.6 * rows)
        sub.supxlabel("compression ratio (prunable weights / weights left)", fontsize=9)
        sub.supylabel("test accuracy in % (log scale of the error)", fontsize=9)
        grid = sub.subplots(rows, 2, sharex=True, sharey=True, squeeze=False).flatten()
        for axes, (name, methods) in zip(grid, there.items(), strict=False):
            axes.set_yscale("function", functions=(stretch, shrink))
            for front in fronts.values():
                axes.plot(front["compression"], front["test_accuracy"], color="#dcdcdc", linewidth=1, zorder=1)
            for mean in lines.loc[lines["method"] == "dense", "test_mean"]:
                axes.axhline(mean, color=DENSE, linestyle="--", linewidth=1)
            for method, colour, marker in zip(methods, cycle(COLOURS), cycle(MARKERS), strict=False):
                draw_runs(axes, runs[runs["method"] == method], colour)
                look: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 4, "linewidth": 1.4}
                axes.plot("compression", "test_accuracy", data=fronts[method], label=names[method], **look)
            axes.set_title(name)
            axes.legend(loc="lower left", fontsize=7, handlelength=1.6)
        for axes in grid[len(there) :]:
            axes.set_visible(False)
        scale(grid[0], largest=max([10, *left["compression"]]), highest=runs["test_accuracy"].max())
    return figure
