"""Many methods on one task: a panel a family, with all others in grey behind it."""

from itertools import cycle
from pathlib import Path

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plots.frame import budgets, failures, measured, subtitle, summary
from plots.fronts import draw_runs, scale, shrink, stretch
from plots.style import DENSE, figure_style, labels, order, save, sheet

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
    """The figure of one task: mean test accuracy in percent over the compression ratio."""
    frame = frame[frame["task"] == task]
    lines, runs = summary(frame), measured(frame)
    runs = runs[numpy.isfinite(runs["compression"])]
    left = lines[numpy.isfinite(lines["compression"])].sort_values("value")  # with weights
    fronts = {method: left[left["method"] == method] for method in sorted(set(left["method"]) - {"dense"})}
    there = {name: [method for method in order(fronts) if family(method) == name] for name in FAMILIES}
    there = {name: methods for name, methods in there.items() if methods}
    caption = (
        "All values of each method at their mean test accuracy, joined in the order of its knob. Small dots: runs. "
        "Bars: one standard deviation. Dashed: dense. "
        f"Runs without a result, in no mean: {failures(frame)} of {len(frame)}."
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
                axes.plot(front["compression"], front["test_mean"], color="#dcdcdc", linewidth=1, zorder=1)
            for mean in lines.loc[lines["method"] == "dense", "test_mean"]:
                axes.axhline(mean, color=DENSE, linestyle="--", linewidth=1)
            for method, colour, marker in zip(methods, cycle(COLOURS), cycle(MARKERS), strict=False):
                draw_runs(axes, runs[runs["method"] == method], colour)
                _draw_front(axes, fronts[method], names[method], colour, marker)
            axes.set_title(name)
            axes.legend(loc="lower left", fontsize=7, handlelength=1.6)
        for axes in grid[len(there) :]:
            axes.set_visible(False)
        scale(grid[0], largest=max([10, *left["compression"]]), highest=runs["test_accuracy"].max())
    return figure


def _draw_front(axes: Axes, front: pandas.DataFrame, name: str, colour: str, marker: str) -> None:
    x, y = front["compression"], front["test_mean"]
    axes.errorbar(x, y, yerr=front["test_std"], fmt="none", color=colour, elinewidth=1, capsize=2)
    axes.plot(x, y, color=colour, marker=marker, markersize=4, linewidth=1.4, label=name)
