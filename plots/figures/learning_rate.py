"""The figure of learning rates: heat maps of learning rate and strength."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import offset_copy

from plots.axes import PLAIN, scale_metric
from plots.learning_rates import MASKS, at_chosen, learning_rates, least_useful, write_learning_rates
from plots.looks import names
from plots.metrics import metric_of
from plots.registry import figure
from plots.results import AT_LEARNING_RATE, measured
from plots.style import figure_style, file_name, save, sheet
from plots.summaries import subtitle, summary, titled

# One or two values of a method are too few for a heat map, so these experiments have the table alone.
figure(
    (
        *("learning-rate-families", "learning-rate-lenet5", "learning-rate-lenet5-dwf", "learning-rate-resnet20"),
        "learning-rate-budget",
    ),
    replaces_front=True,
    choose=at_chosen,
)(write_learning_rates)
# This one compares methods, each at the better of its two learning rates.
figure(("gpt-shakespeare",), choose=at_chosen)(write_learning_rates)


@figure(("learning-rate", "learning-rate-digits"), replaces_front=True, choose=at_chosen)
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Write <folder>/learning_rates.csv, and one figure for each task that has a method with a strength."""
    runs = measured(frame)
    tasks = sorted(runs.loc[~runs["knob"].isin(MASKS), "task"].unique())
    drawn = [save(heatmaps(frame, task), figures / file_name(f"learning-rate-{task}")) for task in tasks]
    return [*write_learning_rates(folder, frame, figures), *(file for files in drawn for file in files)]


def heatmaps(frame: pandas.DataFrame, task: str) -> Figure:
    """Draw the figure of one task: a column for each method, validation metric above, compression below."""
    frame = frame[frame["task"] == task]
    table, everything = learning_rates(frame), summary(frame, AT_LEARNING_RATE)
    chosen = table[table["chosen"]].set_index("method")["learning_rate"]
    frame = frame[~frame["knob"].isin(MASKS)]
    lines = summary(frame, AT_LEARNING_RATE)
    metric = metric_of(frame)
    largest = lines.loc[numpy.isfinite(lines["compression"]), "compression"].max()
    scales: dict[str, tuple[Normalize, str]] = {
        "val_mean": (Normalize(least_useful(everything, metric), everything["val_mean"].max()), "viridis"),
        "compression": (LogNorm(1, max(10, largest)), "cividis"),
    }
    methods = names(frame)
    caption = (
        "Triangles: the chosen learning rate, that of largest hypervolume in log10 compression and validation "
        f"{metric.name}. Hatched: diverged, or without a result. \N{INFINITY}: no weight left. White, empty: not run."
    )
    title = titled(f"{task}: results over learning rate and strength", frame)
    with figure_style():
        drawing, panels = sheet(title, subtitle(frame, lines), caption, height=4.4)
        panels.supxlabel("strength (lambda \N{MULTIPLICATION SIGN} summed learning rate)", fontsize=9)
        panels.supylabel("peak learning rate", fontsize=9)
        axes = panels.subplots(2, len(methods), sharex=True, sharey=True, squeeze=False)
        for row, (column, scale) in zip(axes, scales.items(), strict=True):
            for panel, method in zip(row, methods, strict=True):
                _draw_map(panel, frame, lines, method, column, scale)
                _mark(panel, frame, chosen[method])
        for panel, method in zip(axes[0], methods, strict=True):
            panel.set_title(methods[method].replace(" ", "\n"), fontsize=8)
        above = panels.colorbar(ScalarMappable(*scales["val_mean"]), ax=axes[0], extend="min", aspect=12)
        below = panels.colorbar(ScalarMappable(*scales["compression"]), ax=axes[1], aspect=12, format=PLAIN)
        above.set_label(metric.narrow_label_on("validation"), fontsize=8)
        below.set_label("compression ratio", fontsize=8)
        for bar in (above, below):
            bar.ax.tick_params(labelsize=8)
        if not metric.is_accuracy:
            scale_metric(above.ax, metric.sign)
    return drawing


def _draw_map(
    axes: Axes, frame: pandas.DataFrame, lines: pandas.DataFrame, method: str, column: str, scale: tuple[Normalize, str]
) -> None:
    """Draw one panel: a cell for each strength and learning rate, all cells of one size."""
    norm, colours = scale
    place = ["learning_rate", "value"]
    cells = lines[lines["method"] == method].set_index(place)[column]
    levels, strengths = (sorted(frame[name].unique()) for name in place)
    grid = cells.replace(numpy.inf, numpy.nan).unstack().reindex(index=levels, columns=strengths)
    axes.pcolormesh(grid.to_numpy(dtype=float), norm=norm, cmap=colours, edgecolors="white", linewidth=0.5)
    for rate, value in sorted(set(frame[frame["method"] == method].set_index(place).index)):
        x, y = strengths.index(value), levels.index(rate)
        if (rate, value) not in cells.index:
            axes.add_patch(
                Rectangle((x, y), 1, 1, facecolor="#dddddd", edgecolor="#888888", hatch="/////", linewidth=0)
            )
        elif numpy.isinf(cells[rate, value]):
            axes.text(x + 0.5, y + 0.45, "\N{INFINITY}", ha="center", va="center", fontsize=9)
    axes.set_xticks(numpy.arange(len(strengths)) + 0.5, [f"{value:g}" for value in strengths])
    axes.set_yticks(numpy.arange(len(levels)) + 0.5, [f"{rate:g}" for rate in levels])
    axes.tick_params(labelsize=7, length=2)
    axes.grid(False)


def _mark(axes: Axes, frame: pandas.DataFrame, rate: float) -> None:
    """Draw a triangle at the right end of a learning rate's row."""
    level = sorted(frame["learning_rate"].unique()).index(rate)
    right = offset_copy(axes.get_yaxis_transform(), axes.get_figure(root=True), x=4, units="points")
    axes.plot([1], [level + 0.5], "<", color="black", markersize=5, clip_on=False, transform=right)
