"""The trials of a search over learning rate and knob, and the pairs that a comparison takes from them."""

from __future__ import annotations

from math import comb
from pathlib import Path

import numpy
import pandas
from moocore import is_nondominated

from plots.files import write_table
from plots.learning_rates import FARTHEST, least_useful
from plots.metrics import metric_of, with_values
from plots.results import AT_LEARNING_RATE, load
from plots.summaries import summary

TARGETS = (3, 10, 30, 100, 300, 1000)  # compressions near which a comparison takes a pair of each method


def trials(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return one line for each trial: a task, method, learning rate and value.

    `nondominated` marks the trials that no other of the method beats in compression and validation accuracy. `chosen`
    marks, of these, the one nearest to each compression in TARGETS on a log scale; a method without a knob has one, the
    most accurate. Trials that diverged, kept no weight or lost more than 20 points against dense are never chosen.
    Test accuracies have no column, since nothing is chosen by them. n of the asked runs are in the numbers.
    """
    lines = summary(runs, AT_LEARNING_RATE)
    tried = runs.groupby(AT_LEARNING_RATE, as_index=False, sort=False).agg(asked=("key", "size"))
    table = tried.merge(lines.drop(columns="asked"), on=AT_LEARNING_RATE, how="left")
    table["n"] = table["n"].fillna(0).astype(int)
    table["nondominated"] = table["chosen"] = False
    for (task, _, knob), own in table.groupby(["task", "method", "knob"]):
        useful = own[numpy.isfinite(own["compression"]) & (own["val_mean"] > _least(lines, runs, task))]
        if useful.empty:
            continue
        points = useful[["compression", "val_mean"]].to_numpy(dtype=float)
        best = useful[is_nondominated(points, maximise=True)]
        table.loc[best.index, "nondominated"] = True
        logs = numpy.log(best["compression"])
        nearest = {(logs - numpy.log(target)).abs().idxmin() for target in TARGETS}
        table.loc[[best["val_mean"].idxmax()] if knob == "none" else sorted(nearest), "chosen"] = True
    columns = [*AT_LEARNING_RATE, "n", "asked", "compression", "val_mean", "nondominated", "chosen"]
    return table[columns].rename(columns={"val_mean": "val_accuracy"})


def chosen_trials(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the runs of the chosen trials."""
    table = trials(runs)
    return runs.merge(table.loc[table["chosen"], AT_LEARNING_RATE])


def expected_hypervolume(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the hypervolume that a method's first k trials reach on average, by task, method and k.

    The area is that of `plots.learning_rates`. The mean is taken over all subsets of k trials, exactly: n trials of
    which m dominate a point leave it uncovered in a share C(n - m, k) / C(n, k) of the subsets. After Dodge et al.,
    "Show Your Work", EMNLP 2019, whose measure is the expected maximum of one number.
    """
    table = trials(runs)
    lines = summary(runs, AT_LEARNING_RATE)
    rows = []
    for (task, method, knob), own in table.groupby(["task", "method", "knob"]):
        if knob == "none":
            continue
        n, least = len(own), _least(lines, runs, task)
        x = numpy.log10(own["compression"].where(numpy.isfinite(own["compression"]), 1).fillna(1).clip(1, FARTHEST))
        y = own["val_accuracy"].where(numpy.isfinite(own["compression"])).fillna(least).clip(lower=least)
        edges_x, edges_y = (numpy.unique(numpy.append(values, low)) for values, low in ((x, 0.0), (y, least)))
        areas = numpy.outer(numpy.diff(edges_x), numpy.diff(edges_y))
        reaches_x = x.to_numpy()[:, None] >= edges_x[1:]
        reaches_y = y.to_numpy()[:, None] >= edges_y[1:]
        dominating = reaches_x.T.astype(int) @ reaches_y.astype(int)  # trials that dominate each cell of the plane
        for k in range(1, n + 1):
            missed = numpy.array([comb(n - m, k) / comb(n, k) for m in range(n + 1)])
            rows.append((task, method, k, float((areas * (1 - missed[dominating])).sum())))
    return pandas.DataFrame(rows, columns=["task", "method", "trials", "hypervolume"])


def write_trials(folder: Path, runs: pandas.DataFrame) -> list[Path]:
    """Write <folder>/trials.csv, which experiments read, and <folder>/expected_hypervolume.csv.

    Trials of penalties are in trials.csv twice: with the zero of the runs, and with the one that validation data choose
    for each run. A comparison shows both fronts, so it takes the pairs that either chooses.
    """
    zeros = {"strict": runs}
    if (runs["penalty"].notna() & (runs["knob"] != "density")).any():
        zeros["validated"] = load(folder, "validated", AT_LEARNING_RATE)
    table = pandas.concat([trials(counted).assign(zero=zero) for zero, counted in zeros.items()])
    table = with_values(
        table[(table["zero"] == "strict") | ~table["knob"].isin(["density", "none"])], runs, "val_accuracy"
    )
    for name in ("nondominated", "chosen"):
        table[name] = table[name].map({True: "true", False: "false"})
    paths = []
    for name, lines in (("trials", table), ("expected_hypervolume", expected_hypervolume(runs))):
        paths.append(folder / f"{name}.csv")
        write_table(paths[-1], lines, 10)
    return paths


def _least(lines: pandas.DataFrame, runs: pandas.DataFrame, task: object) -> float:
    return least_useful(lines[lines["task"] == task], metric_of(runs[runs["task"] == task]))
