"""The figure of objectives: which method reaches the lowest value at one penalty, and whether that prunes better."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from plots.axes import PLAIN, scale_metric
from plots.figures.fronts import members
from plots.files import write_table
from plots.looks import look
from plots.metrics import metric_of
from plots.registry import figure
from plots.results import AT_SETTING, VALUE, load, measured
from plots.statistics.objectives import to_factors
from plots.style import figure_style, file_name, save, sheet
from plots.summaries import subtitle, summary

# By method, whatever its options: a panel has one exponent, which tells them apart.
LOOKS = {
    "dwf": ("factors (dwf)", "#0072b2", "o"),
    "prox-l1": ("proximal steps (prox-l1, prox-lq)", "#d55e00", "s"),
    "prox-lq": ("proximal steps (prox-l1, prox-lq)", "#d55e00", "s"),
    "l1": ("subgradient (l1)", "#cc79a7", "v"),
    "pwd": ("p-norm weight decay (pwd)", "#009e73", "^"),
    "rewa": ("tied factors (rewa)", "#000000", "D"),
}
DEEPEST = 12  # points below dense, or percent of another metric, at the lower edge


def of_lowest_objective(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the runs of each method and value at its learning rate of lowest mean objective.

    A learning rate at which fewer runs failed comes first. Validation accuracy decides for methods without a penalty.
    """
    there = runs["key"].isin(measured(runs)["key"])
    table = runs.assign(missed=~there, objective=runs["objective"].where(there), error=-runs["val_accuracy"])
    lines = table.groupby([*VALUE, "learning_rate"], as_index=False)[["missed", "objective", "error"]].mean()
    best = lines.sort_values(["missed", "objective", "error"]).drop_duplicates(VALUE)
    return runs.merge(best[[*VALUE, "learning_rate"]])


@figure(("objective",), choose=of_lowest_objective)
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Write <folder>/objectives.csv and one figure for each task."""
    chosen = of_lowest_objective(frame)
    table = objectives(chosen)
    if table.empty:
        return []
    validated = load(folder, "validated", AT_SETTING)
    written = [folder / "objectives.csv"]
    write_table(written[0], table)
    for task in sorted(table["task"].unique()):
        drawing = objective_figure(*(runs[runs["task"] == task] for runs in (chosen, validated)))
        written += save(drawing, figures / file_name(f"objective-{task}"))
    return written


def objectives(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return means over seeds for each method and lambda: the objective, its standard deviation and its two parts.

    n of the asked seeds are in the means. The ratio to the objective of factors has a 95 % interval.
    """
    there = measured(runs)
    # Rounded, so that methods that store them in another precision share a line.
    rounded = {
        "exponent": lambda own: own["exponent"].round(4),
        "penalty": lambda own: own["penalty"].map(lambda number: float(f"{number:.3g}")),
    }
    lines = there[there["objective"].notna()].assign(
        penalty_term=lambda own: own["penalty"] * own["penalty_sum"], **rounded
    )
    place = ["task", "penalty", "method", "learning_rate"]
    asked = runs.assign(**rounded).groupby(place, as_index=False).agg(asked=("seed", "nunique"))
    table = (
        lines.groupby(["task", "exponent", "penalty", "method", "learning_rate"], as_index=False)
        .agg(
            n=("seed", "size"),
            objective=("objective", "mean"),
            objective_std=("objective", "std"),
            train_loss=("uncut_train_loss", "mean"),
            penalty_term=("penalty_term", "mean"),
        )
        .merge(asked, on=place)
        .sort_values(["task", "exponent", "penalty", "objective"], ascending=[True, False, True, True])
    )
    table.insert(table.columns.tolist().index("n") + 1, "asked", table.pop("asked"))
    return table.merge(to_factors(lines), how="left")


def objective_figure(chosen: pandas.DataFrame, validated: pandas.DataFrame) -> Figure:
    """Draw a column of panels for each exponent of one task: objective over lambda, and metric over compression.

    `chosen` has one learning rate for each method and value; `validated` has the same runs among others, counted at the
    validated zero threshold.
    """
    table = objectives(chosen)
    shown = validated[validated["key"].isin(chosen["key"])]
    dense = summary(chosen[chosen["method"] == "dense"])["test_mean"].max()
    exponents = sorted(table["exponent"].unique(), reverse=True)
    metric = metric_of(chosen)
    caption = (
        "Above: mean objective on the training set before small weights become zero, divided by the panel's lowest at "
        "this lambda. Each method has at each lambda its learning rate of lowest objective. Below: the same runs, "
        "counted at the validated zero; lines join values that none of the method's others beats in compression and "
        f"validation {metric.name}, hollow marks are the others. Bars: one standard deviation over seeds. "
        "Dashed: dense."
    )
    with figure_style():
        drawing, panels = sheet(
            f"{chosen['task'].iloc[0]}: objective that each method reaches",
            subtitle(shown, summary(shown)),
            caption,
            height=5.4,
            width=1.2 + 3 * max(len(exponents), 3),
        )
        axes = panels.subplots(2, len(exponents), sharey="row", squeeze=False)
        for (above, below), exponent in zip(axes.T, exponents, strict=True):
            own = table[table["exponent"] == exponent]
            above.set_title(f"q = {_fraction(exponent)}")
            _draw_objectives(above, own)
            _draw_accuracies(below, shown[shown["method"].isin(own["method"])])
            below.set_xlabel("compression ratio")
            above.set_xlabel("lambda")
        axes[0, 0].set_ylabel("objective / lowest")
        lowest = table.groupby(["exponent", "penalty"])["objective"].transform("min")
        top = min(max(1.2, 1.05 * (table["objective"] / lowest).max()), 10)
        axes[0, 0].set_yticks([1, 1.1, 1.2, 1.5, 2] if top < 3 else [1, 1.5, 2, 3, 5, 10])
        axes[0, 0].set_ylim(0.97, top)
        axes[1, 0].set_ylabel(metric.narrow_label_on("test"))
        if not metric.is_accuracy:
            scale_metric(axes[1, 0], metric.sign)
        if not numpy.isnan(dense):
            for below in axes[1]:
                below.axhline(dense, color="#6e6e6e", linestyle="--", linewidth=1)
            axes[1, 0].set_ylim(dense - metric.margin(DEEPEST, dense), dense + metric.margin(0.8, dense))
        handles = {label: line for a in axes[0] for line, label in zip(*a.get_legend_handles_labels(), strict=True)}
        panels.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3, fontsize=8)
    return drawing


def _draw_objectives(axes: Axes, table: pandas.DataFrame) -> None:
    lowest = table.groupby("penalty")["objective"].min()
    for method, own in table.groupby("method"):
        label, colour, marker = _look(str(method))
        least = own["penalty"].map(lowest)
        axes.errorbar(own["penalty"], own["objective"] / least, own["objective_std"] / least, color=colour,
                      marker=marker, markersize=4, linewidth=1.4, capsize=2, label=label)  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(sorted(lowest.index))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PLAIN)
        axis.set_minor_locator(NullLocator())
    axes.tick_params(axis="x", labelsize=8)


def _draw_accuracies(axes: Axes, runs: pandas.DataFrame) -> None:
    lines = summary(runs)
    for method, own in lines[numpy.isfinite(lines["compression"])].groupby("method"):
        _, colour, marker = _look(str(method))
        chosen = members(own)
        others = own[~own.index.isin(chosen.index)]
        axes.errorbar(chosen["compression"], chosen["test_mean"], chosen["test_std"], color=colour, marker=marker,
                      markersize=4, linewidth=1.4, capsize=2)  # fmt: skip
        axes.plot(others["compression"], others["test_mean"], marker, color=colour, mfc="white", markersize=4)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(PLAIN)
    axes.xaxis.set_minor_locator(NullLocator())


def _look(method: str) -> tuple[str, str, str]:
    known = next((own for name, own in LOOKS.items() if method.startswith(name)), None)
    return known or (method, *look(method)[:2])


def _fraction(exponent: float) -> str:
    return {0.6667: "2/3", 0.5: "1/2"}.get(exponent, f"{exponent:g}")
