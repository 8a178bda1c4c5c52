"""The figure of performance profiles: on how many problems each method is how close to the best one."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
from matplotlib.figure import Figure

from plots.axes import PLAIN
from plots.figures.below_dense import GREY, drawn_looks, points_above_dense
from plots.looks import looks, names
from plots.metrics import metrics_of
from plots.readings import LEVELS, read_at, seed_curves
from plots.registry import COMPARISONS, figure
from plots.results import measured
from plots.statistics.profiles import LOSSES, losses
from plots.style import figure_style, legend, save, sheet
from plots.summaries import seeds, summary, titled

PARTS = ("task", "compression", "seed")  # the columns that name a problem
FARTHEST = 6.0  # points below the best at the right edge


@figure(COMPARISONS)
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Draw the profiles over all tasks; none if no two methods have a reading at one compression and seed."""
    table = losses(read_at(seed_curves(frame[frame["method"] != "dense"]), LEVELS), frame)
    return [] if table.empty else save(profiles(frame, table), figures / "profiles")


def profiles(runs: pandas.DataFrame, table: pandas.DataFrame) -> Figure:
    """Draw the share of problems over the loss that is allowed, a line a method; `table` is that of `losses`.

    The best methods of each family have their colours, all methods if there is no dense run; the rest is grey.
    """
    drawn = drawn_looks(runs, points_above_dense(runs)) or looks(measured(runs))
    counts = [len(table[name].unique()) for name in ("task", "at", "seed")]
    tasks, levels, repeats = (f"{n} {word}{'s' * (n > 1)}" for n, word in zip(counts, PARTS, strict=True))
    unit = " or ".join("points" if each.is_accuracy else f"% of {each.name}" for each in metrics_of(runs))
    caption = (
        "Height: the share of a method's problems on which it loses at most so much against the best method of the "
        f"same task, compression and seed; a problem is each compression of {', '.join(map(str, LEVELS))} at which two "
        "or more methods have a reading with this seed. A front that ends before counts as lost. Lines depend on which "
        "methods are compared. The axis of losses is that of their square roots. Grey: all others."
    )
    with figure_style():
        drawing, panels = sheet(
            titled("Performance profiles: loss against the best method", runs),
            f"{tasks}, {levels}, {repeats}: {seeds(summary(runs))} a value",
            caption,
        )
        axes = panels.subplots()
        for method, own in sorted(table.groupby("method"), key=lambda pair: pair[0] in drawn):
            lost = numpy.sort(own["loss"].to_numpy(dtype=float))
            x = numpy.append(lost[lost <= FARTHEST], FARTHEST)
            y = numpy.append(numpy.arange(1, len(x)), len(x) - 1) / len(lost)
            x, y = numpy.insert(x, 0, 0), numpy.insert(y, 0, 0)
            if method in drawn:
                colour, marker, dash = drawn[str(method)]
                axes.plot(
                    x, y, drawstyle="steps-post", color=colour, marker=marker, dashes=dash, markevery=[-1],
                    label=names(runs)[str(method)],
                )  # fmt: skip
            else:
                axes.plot(x, y, drawstyle="steps-post", color=GREY, linewidth=0.8, zorder=1)
        axes.set_xscale("function", functions=(numpy.sqrt, numpy.square))
        axes.set_xlim(0, FARTHEST)
        axes.set_xticks(LOSSES)
        axes.xaxis.set_major_formatter(PLAIN)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel(f"loss against the best method, in {unit}")
        axes.set_ylabel("share of problems")
        handles = dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
        legend(panels, [handles[names(runs)[m]] for m in drawn if names(runs)[m] in handles], fontsize=8)
    return drawing
