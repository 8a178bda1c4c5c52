"""The figures of initialization: the weights that each start of the factors makes, and the results it leads to."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from benchmark.errors import UsageError
from benchmark.records.schema import INITIAL_COLUMNS
from plots.axes import PLAIN, scale_metric, shrink, stretch, ticks
from plots.looks import look
from plots.metrics import metric_of
from plots.registry import figure
from plots.results import measured, option
from plots.style import figure_style, file_name, legend, save, sequence, sheet
from plots.summaries import subtitle, summary, titled
from plots.tables import read_table

# By start. A start is not a method: the figures compare starts of one depth, in these colours.
LOOKS = {
    "truncated": ("#0072b2", "o"),
    "rescale=true": ("#56b4e9", "s"),
    "epsilon=0": ("#009e73", "^"),
    "init=variance": ("#d55e00", "v"),
    "init=standard": ("#111111", "X"),
    "init=root": ("#cc79a7", "D"),
    "init=ones": ("#e69f00", "P"),
    "init=scaled": ("#7f7f7f", "*"),
}


# The options of dwf that decide how factors start, with those of the paper.
USUAL = {"init": "truncated", "epsilon": "0.25", "rescale": "false"}


def starts(runs: pandas.DataFrame) -> pandas.Series:
    """Name the start of each run by the options that are not the paper's, as in `init=ones`, otherwise `truncated`."""
    found = pandas.Series("", index=runs.index)
    for name, usual in USUAL.items():
        value = option(runs, name).fillna(usual)
        found = found.where(value == usual, found + f",{name}=" + value)
    return found.str.removeprefix(",").replace("", "truncated")


@figure(("init",), replaces_front=True)
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Write the figure of the weights before training, and for each task one of the results."""
    drawn = [save(weights(folder), figures / "initial-weights")]
    for task in sorted(measured(frame.dropna(subset="depth"))["task"].unique()):
        drawn.append(save(reached(frame, task), figures / file_name(f"init-{task}")))
    return [file for files in drawn for file in files]


def weights(folder: Path) -> Figure:
    """Draw the distribution of the weights before training: a panel for each start, a line for each depth."""
    path = folder / "initial_weights.csv"
    table = read_table(path, INITIAL_COLUMNS, INITIAL_COLUMNS[1:])
    if table.empty:
        raise UsageError(f"{path} holds no line; running its experiment again makes them")
    schemes = list(dict.fromkeys(table["init"]))
    caption = (
        "s: standard deviation of the usual start, that of depth 1. Kurtosis is by rising depth; that of a "
        "normal distribution is 3. Where lines coincide the deeper one is drawn on the wider, shallower one."
    )
    with figure_style():
        drawing, panels = sheet(
            "Weights that each start of the factors makes", "one layer of fan-in 300", caption, height=4.4
        )
        panels.supxlabel("weight / s", fontsize=9)
        panels.supylabel("probability density (log scale)", fontsize=9)
        rows = -(-len(schemes) // 3)
        axes = panels.subplots(rows, 3, sharex=True, sharey=True, squeeze=False).flatten()
        for panel, name in zip(axes, schemes, strict=False):
            _draw_weights(panel, name, table[table["init"] == name])
        axes[0].set_ylim(bottom=1e-4)  # below this, the draws are too few
        for panel in axes[len(schemes) :]:
            panel.set_axis_off()
        legend(panels, axes[0].get_legend_handles_labels()[0])
    return drawing


def _draw_weights(axes: Axes, name: str, table: pandas.DataFrame) -> None:
    text = []
    depths = sorted(table["depth"].unique())
    for place, (depth, colour) in enumerate(zip(depths, sequence(len(depths)), strict=True)):
        own = table[table["depth"] == depth]
        # A narrow line is drawn on a wide one, so that both show if they coincide.
        width = 1.2 + 0.8 * (len(depths) - 1 - place)
        axes.plot(
            own["weight"], own["density"].replace(0, numpy.nan), color=colour, linewidth=width, label=f"depth {depth:g}"
        )
        text.append(f"{own['kurtosis'].iloc[0]:.3g}")
    axes.set_title(f"{name}\nkurtosis {', '.join(text)}", fontsize=8)
    axes.set_yscale("log")
    axes.tick_params(labelsize=8)


def reached(frame: pandas.DataFrame, task: str) -> Figure:
    """Draw the results on one task: a panel for each depth, a line for each start, metric over compression."""
    frame = frame[(frame["task"] == task) & frame["depth"].notna()]
    frame = frame.assign(start=starts(frame))
    # Versions of dwf write one start differently; the last row counts.
    frame = frame.drop_duplicates(["depth", "start", "value", "seed", "epochs"], keep="last")
    lines = summary(frame)
    lines = lines.merge(frame[["method", "depth", "start"]].drop_duplicates(), on="method")
    drawn = lines[numpy.isfinite(lines["compression"])]
    metric = metric_of(frame)
    caption = "Bars: one standard deviation over seeds."
    caption += " Lines join the strengths of one start." if lines["value"].nunique() > 1 else ""
    caption += f" {lost}" if (lost := _lost(frame)) else ""
    with figure_style():
        drawing, panels = sheet(
            titled(f"{task}: results of each start of the factors", frame), subtitle(frame, lines), caption, height=3.6
        )
        panels.supxlabel("compression ratio", fontsize=9)
        depths = sorted(lines["depth"].unique())
        subs = (1, 2, 5) if drawn["compression"].max() < 100 * drawn["compression"].min() else (1,)
        axes = panels.subplots(1, len(depths), sharex=True, sharey=True, squeeze=False)[0]
        for panel, depth in zip(axes, depths, strict=True):
            panel.set_title(f"depth {depth:g}")
            if metric.is_accuracy:
                panel.set_yscale("function", functions=(stretch, shrink))
            panel.set_xscale("log")
            panel.xaxis.set_major_formatter(PLAIN)
            panel.xaxis.set_major_locator(LogLocator(subs=subs))
            panel.xaxis.set_minor_locator(NullLocator())
            panel.tick_params(labelsize=8)
            for method, start in _order(drawn[drawn["depth"] == depth]):
                _draw_start(panel, start, drawn[drawn["method"] == method].sort_values("value"))
        axes[0].set_ylabel(
            f"{metric.label}\n(log scale of the error)" if metric.is_accuracy else metric.label, fontsize=9
        )
        if metric.is_accuracy:
            bottom, top = (min(max(limit, 0), 100) for limit in axes[0].get_ylim())
            axes[0].set_ylim(bottom, top)
            axes[0].set_yticks(ticks(bottom, top))
            axes[0].yaxis.set_major_formatter(PLAIN)
        else:
            scale_metric(axes[0], metric.sign)
        handles = {line.get_label(): line for panel in axes for line in panel.get_legend_handles_labels()[0]}
        legend(panels, [*handles.values()], "start")
    return drawing


def _lost(frame: pandas.DataFrame) -> str:
    """Name the starts with runs that are not drawn, and count these runs."""
    drawn = frame.index.isin(measured(frame).index) & numpy.isfinite(frame["compression"])
    parts = []
    for method, start in _order(frame[~drawn]):
        own = frame["method"] == method
        depth = frame.loc[own, "depth"].iloc[0]
        parts.append(f"{start} at depth {depth:g} ({(own & ~drawn).sum()} of {own.sum()})")
    return f"Not drawn, since they diverged or no weight was left: {', '.join(parts)}." if parts else ""


def _draw_start(axes: Axes, name: str, lines: pandas.DataFrame) -> None:
    colour, marker = LOOKS.get(name, look(name)[:2])
    x, y = lines["compression"], lines["test_mean"]
    axes.errorbar(x, y, yerr=lines["test_std"], fmt="none", color=colour, elinewidth=1.2, capsize=2)
    axes.plot(x, y, color=colour, marker=marker, linewidth=1.2, label=name)


def _order(table: pandas.DataFrame) -> list[tuple[str, str]]:
    """Return the methods of a table with their starts, in the order of LOOKS, other starts by name."""
    places = {name: place for place, name in enumerate(LOOKS)}
    pairs = set(table[["method", "start"]].itertuples(index=False, name=None))
    return sorted(pairs, key=lambda pair: (places.get(pair[1], len(places)), pair[0]))
