"""The figure of layers: the density of each layer against the compression of the whole network."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from benchmark.errors import UsageError
from benchmark.records.schema import LAYER_COLUMNS
from plots.axes import PLAIN
from plots.looks import names
from plots.registry import figure
from plots.results import VALUE, measured
from plots.style import figure_style, file_name, legend, save, sequence, sheet
from plots.summaries import failed, subtitle, summary, titled
from plots.tables import read_table


@figure(("layers",), replaces_front=True)
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Write one figure for each task."""
    table = shares(folder, frame)
    drawn = [
        save(grid(frame, table, task), figures / file_name(f"layers-{task}")) for task in sorted(table["task"].unique())
    ]
    return [file for files in drawn for file in files]


def shares(folder: Path, frame: pandas.DataFrame) -> pandas.DataFrame:
    """Return mean density in percent and the network's compression, one line for each task, method, value and layer.

    `collapsed` counts the runs in which the layer has no weight left. The layers of a value keep the network's order.
    """
    path = folder / "layers.csv"
    table = read_table(path, LAYER_COLUMNS, ("kept", "total"))
    table = table.drop_duplicates(["key", "layer"], keep="last")
    table = measured(frame)[[*VALUE, "key"]].merge(table, on="key")
    if table.empty:
        raise UsageError(f"{path} holds no layer of a measured run; running its experiment again makes them")
    table["density"] = 100 * table["kept"] / table["total"]
    table["collapsed"] = (table["kept"] == 0).astype(int)
    lines = (
        table.groupby([*VALUE, "layer"], as_index=False, sort=False)
        .agg(density=("density", "mean"), collapsed=("collapsed", "sum"))
        .merge(summary(frame)[[*VALUE, "compression"]], on=VALUE)
    )
    return lines.sort_values("compression", kind="stable", ignore_index=True)


def grid(frame: pandas.DataFrame, table: pandas.DataFrame, task: str) -> Figure:
    """Draw the figure of one task: a panel for each method, a line for each layer, density over compression."""
    frame, table = frame[frame["task"] == task], table[table["task"] == task]
    methods = names(frame[frame["method"].isin(table["method"])])
    layers = table.loc[table["method"] == next(iter(methods)), "layer"].unique()  # in the network's order
    colours = dict(zip(layers, sequence(len(layers)), strict=True))
    drawn = table[numpy.isfinite(table["compression"])]
    least = min([10, *drawn.loc[drawn["density"] > 0, "density"]])
    bottom = 10 ** float(numpy.floor(numpy.log10(least)))
    caption = (
        "Lines: means over seeds. Grey: every layer as dense as the whole. Crosses: in a run nothing is left of "
        f"the layer; collapsed: how often over all runs. Runs not drawn: {failed(frame)} without a result, "
        f"{int(numpy.isinf(measured(frame)['compression']).sum())} with no weight left at all."
    )
    columns = min(3, len(methods))
    rows = -(-len(methods) // columns)
    with figure_style():
        title = titled(f"{task}: weights left in each layer", frame)
        drawing, panels = sheet(title, subtitle(frame, summary(frame)), caption, height=1.4 + 1.8 * rows)
        panels.supxlabel("compression ratio of the whole network", fontsize=9)
        panels.supylabel("weights left of a layer in %", fontsize=9)
        axes = panels.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flatten()
        for panel, method in zip(axes, methods, strict=False):
            _draw_layers(panel, drawn[drawn["method"] == method], colours, bottom)
            panel.set_title(methods[method])
            if collapsed := table.loc[table["method"] == method, "collapsed"].sum():
                panel.text(0.04, 0.05, f"collapsed: {collapsed}", fontsize=8, transform=panel.transAxes)
        for panel in axes[len(methods) :]:
            panel.set_axis_off()
        axes[0].set_xlim(1 / 1.1, 1.2 * max([10, *drawn["compression"]]))
        axes[0].set_ylim(bottom, 130)
        legend(panels, axes[0].get_legend_handles_labels()[0], "layer")
    return drawing


def _draw_layers(axes: Axes, table: pandas.DataFrame, colours: dict[str, str], bottom: float) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PLAIN)
        axis.set_minor_locator(NullLocator())
    axes.tick_params(labelsize=8)
    axes.plot([1, 1e9], [100, 1e-7], color="#999999", linewidth=0.9, zorder=1)
    for layer, colour in colours.items():
        own = table[table["layer"] == layer]
        left = own["density"].where(own["density"] > 0)
        axes.plot(own["compression"], left, color=colour, marker="o", markersize=3, linewidth=1.4, label=layer)
        gone = own.loc[own["collapsed"] > 0, "compression"]
        if not gone.empty:  # the layout fails on an empty line that is not clipped
            axes.plot(gone, [bottom] * len(gone), "x", color=colour, markersize=6, markeredgewidth=1.6, clip_on=False)
