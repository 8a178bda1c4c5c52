"""The figure of measured latency: speed-up over the dense network against compression, for each method and form."""

from __future__ import annotations

from pathlib import Path

import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from benchmark.errors import UsageError
from plots.axes import PLAIN, scale_compression
from plots.deployed import read_timings
from plots.looks import names
from plots.registry import figure
from plots.results import measured
from plots.style import figure_style, file_name, save, sheet
from plots.summaries import subtitle, summary

FORMS = {"compact": "#0072B2", "csr": "#D55E00", "onnx": "#009E73", "onnx dense": "#999999"}  # with their colours


@figure(("inference", "inference-threads", "resnet20-short"))
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Write a figure for each task and number of threads, if `make bench-inference` has timed the folder's networks."""
    if not (folder / "inference.csv").exists():
        return []
    table = timings(folder, frame)
    files = []
    for (task, threads), own in table.groupby(["task", "threads"]):
        several = "" if threads == 1 else f"-{threads:g}-threads"
        path = figures / file_name(f"inference-{task}{several}")
        files += save(grid(frame, own, str(task), int(own["threads"].iloc[0])), path)
    return files


def timings(folder: Path, frame: pandas.DataFrame) -> pandas.DataFrame:
    """Return the rows of inference.csv with the columns of their runs; raise UsageError if no run has one."""
    path = folder / "inference.csv"
    table = read_timings(path).drop(columns=["task", "method", "value", "seed"])
    table = table.merge(measured(frame).drop(columns=["threads", "hardware"]), on="key")
    if table.empty:
        raise UsageError(f"{path} holds no measured run; `make bench-inference` times the networks again")
    return table.sort_values("compression", kind="stable", ignore_index=True)


def grid(frame: pandas.DataFrame, table: pandas.DataFrame, task: str, threads: int) -> Figure:
    """Draw the timings of one task on a number of threads: a column for each method, a row for each batch."""
    frame = frame[frame["task"] == task]
    sparse = table[table["method"] != "dense"]
    methods, batches = names(frame[frame["method"].isin(sparse["method"])]), sorted(table["batch"].unique())
    caption = (
        "Points: medians over alternating turns; bars: quartiles. All ratios are to the dense network in the same "
        "turns. compact: without dead units; csr: that with sparse rows; onnx: that by ONNX Runtime. onnx dense: the "
        "dense network by ONNX Runtime. Black lines: multiply-adds of dense / nonzero (dotted), dense / compact "
        "(dashed)."
    )
    hardware = ", ".join(sorted(table["hardware"].unique()))
    with figure_style():
        title = f"{task}: speed against dense on {'one thread' if threads == 1 else f'{threads} threads'}"
        drawing, panels = sheet(
            title, f"{subtitle(frame, summary(frame))}, {hardware}", caption, 1.6 + 2 * len(batches)
        )
        panels.supylabel("times faster than dense", fontsize=9)
        axes = panels.subplots(len(batches), len(methods), sharex=True, sharey="row", squeeze=False)
        for row, batch in zip(axes, batches, strict=True):
            for panel, method in zip(row, methods, strict=True):
                _draw(panel, sparse[(sparse["method"] == method) & (sparse["batch"] == batch)])
            row[0].set_ylabel(f"batch {batch:g}", fontsize=8)
            own = sparse[sparse["batch"] == batch]
            row[0].set_ylim(min(0.08, 0.8 * own["speedup_low"].min()), max(2, 1.3 * own["speedup_high"].max()))
        for panel, method in zip(axes[0], methods, strict=True):
            size = 8 if len(methods) < 6 else 6.5
            panel.set_title(str(methods[method]).replace("[", "\n[").replace(" (", "\n("), fontsize=size)
        scale_compression(axes[0, 0], float(sparse["compression"].max()))
        axes[0, 0].xaxis.set_major_locator(LogLocator())
        axes[-1, len(methods) // 2].set_xlabel("compression ratio", fontsize=9)
        panels.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return drawing


def _draw(axes: Axes, table: pandas.DataFrame) -> None:
    axes.axhline(1, color="#cccccc", linewidth=0.9, zorder=1)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(PLAIN)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.tick_params(labelsize=8)
    for form, colour in FORMS.items():
        own = table[table["form"] == form]
        bars = [own["speedup"] - own["speedup_low"], own["speedup_high"] - own["speedup"]]
        if not own.empty:
            axes.errorbar(own["compression"], own["speedup"], bars, color=colour, marker="o", markersize=3, label=form)
    runs = table.drop_duplicates("key")
    axes.plot(runs["compression"], runs["theoretical_speedup"], ":", color="#444444", linewidth=1)
    axes.plot(runs["compression"], runs["macs_dense"] / runs["compact_macs"], "--", color="#444444", linewidth=1)
