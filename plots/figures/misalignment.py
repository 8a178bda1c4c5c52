"""The figure of misalignment: how the imbalance of a weight's factors decays, and the decay that theory predicts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmark.errors import UsageError
from plots.looks import Look, looks, names
from plots.registry import figure
from plots.results import traces
from plots.style import figure_style, file_name, legend, save, sheet
from plots.summaries import subtitle, summary, titled

Dash = Literal["-", ":", "-."]

FLOOR = 1e-9  # below this, rounding in float32 has long flattened the measured curve
METRICS = ("rate_share", "imbalance")
DASHES: tuple[Dash, ...] = ("-", ":", "-.")  # by strength; theory is drawn with --


@figure(("misalignment",), replaces_front=True)
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Write one figure for each task."""
    table = decay(folder, frame)
    drawn = [
        save(grid(frame, table, task), figures / file_name(f"misalignment-{task}"))
        for task in sorted(set(table["task"]))
    ]
    return [file for files in drawn for file in files]


def decay(folder: Path, frame: pandas.DataFrame) -> pandas.DataFrame:
    """Return `time`, 4 lambda S_t / D, and `left`, imbalance over imbalance at epoch 0, for each run and epoch.

    S_t is the summed learning rate spent so far and strength is lambda S, so time is 4 strength rate_share / D.
    Runs that start balanced, and runs of methods without a strength, are left out.
    """
    table = traces(folder, frame, METRICS)
    table = table[table["knob"] == "strength"]
    starts = table[table["epoch"] == 0].set_index("key")["imbalance"]
    start = table["key"].map(starts[starts > 0])
    table["time"] = 4 * table["value"] * table["rate_share"] / table["depth"]
    table["left"] = table["imbalance"] / start
    table = table.dropna(subset=["time", "left"]).sort_values(["key", "epoch"], ignore_index=True)
    if table.empty:
        raise UsageError(f"{folder} holds no imbalance that was more than 0 at epoch 0, so its decay cannot be drawn")
    return table


def grid(frame: pandas.DataFrame, table: pandas.DataFrame, task: str) -> Figure:
    """Draw the figure of one task: imbalance over the time that theory counts."""
    frame, table = frame[frame["task"] == task], table[table["task"] == task]
    methods = names(frame[frame["method"].isin(table["method"])])
    look = looks(frame)
    strengths = sorted(table["value"].unique())
    dashes = {value: DASHES[place % len(DASHES)] for place, value in enumerate(strengths)}
    caption = (
        "Imbalance: mean over weights of the largest minus the smallest squared factor. S_t: summed learning rate so "
        "far. Theory: exp(-4 lambda S_t / D), whatever the loss; matched rates are slower for large weights. Every "
        "run is a line, its marks are epochs."
    )
    with figure_style():
        drawing, panels = sheet(
            titled(f"{task}: balance of the factors, against theory", frame),
            subtitle(frame, summary(frame)),
            caption,
            height=4.0,
        )
        axes = panels.subplots()
        for method in methods:
            for value, runs in table[table["method"] == method].groupby("value"):
                for _, run in runs.groupby("key"):
                    _draw_run(axes, run["time"], run["left"], look[method], dashes[value])
        end = table["time"].max()
        times = numpy.linspace(0, end, 200)
        axes.plot(times, numpy.exp(-times), "--", color="black", linewidth=1.4, zorder=5)
        axes.set_yscale("log")
        axes.set_ylim(max(FLOOR, min(table["left"].min(), numpy.exp(-end)) / 2), max(2, 2 * table["left"].max()))
        axes.set_xlabel("4 lambda S_t / D")
        axes.set_ylabel("imbalance / imbalance at epoch 0", fontsize=9)
        handles = [Line2D([], [], color="black", linestyle="--", linewidth=1.4, label="theory")]
        for method in methods:
            colour, marker, _ = look[method]
            handles.append(Line2D([], [], color=colour, marker=marker, linestyle="", label=methods[method]))
        handles += [Line2D([], [], color="#555555", linestyle=dashes[v], label=f"strength {v:g}") for v in strengths]
        legend(panels, handles, fontsize=8)
    return drawing


def _draw_run(axes: Axes, x: pandas.Series, y: pandas.Series, look: Look, dash: Dash) -> None:
    colour, marker, _ = look
    axes.plot(x, y, color=colour, marker=marker, linestyle=dash, linewidth=0.8, markersize=3.5)
