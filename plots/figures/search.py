"""The figure of a search: the hypervolume that a method reaches with its first k trials, on average."""

from __future__ import annotations

from pathlib import Path

import pandas
from matplotlib.figure import Figure

from plots.looks import looks, names
from plots.metrics import metric_of
from plots.registry import figure
from plots.results import measured
from plots.style import figure_style, file_name, legend, save, sheet
from plots.summaries import titled
from plots.trials import chosen_trials, expected_hypervolume, write_trials


@figure(("search", "search-lenet5", "search-mnist1d"), replaces_front=True, choose=chosen_trials)
def draw(folder: Path, frame: pandas.DataFrame, figures: Path) -> list[Path]:
    """Write <folder>/trials.csv, <folder>/expected_hypervolume.csv and one figure for each task."""
    paths = write_trials(folder, frame)
    table = expected_hypervolume(frame)
    for task, lines in table.groupby("task"):
        paths += save(worth_of_trials(frame[frame["task"] == task], lines), figures / file_name(f"search-{task}"))
    return paths


def worth_of_trials(frame: pandas.DataFrame, lines: pandas.DataFrame) -> Figure:
    """Draw a line for each method of one task: expected hypervolume over the number of trials."""
    epochs = " or ".join(f"{number:g}" for number in sorted(measured(frame)["epochs"].unique()))
    subtitle = f"mean over all subsets of k trials, one seed, {epochs} epochs, validation data"
    with figure_style():
        drawing, panels = sheet(titled(f"{frame['task'].iloc[0]}: what tuning is worth", frame), subtitle, "")
        axes = panels.subplots()
        axes.set_xlabel("trials k of learning rate and knob")
        metric = metric_of(frame)
        unit = "points" if metric.is_accuracy else metric.name
        axes.set_ylabel(f"hypervolume in\nlog10 compression \N{MULTIPLICATION SIGN} {unit}")
        look = looks(frame)
        for method, name in names(frame).items():
            own = lines[lines["method"] == method]
            if not own.empty:
                colour, marker, dash = look[method]
                axes.plot(
                    own["trials"], own["hypervolume"], label=name, color=colour, marker=marker, dashes=dash,
                    linewidth=1.4, markevery=[-1],
                )  # fmt: skip
        axes.set_xlim(1, lines["trials"].max() + 0.5)
        legend(panels, axes.get_legend_handles_labels()[0])
    return drawing
