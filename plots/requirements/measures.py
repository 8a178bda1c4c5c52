"""The requirements on the numbers that are reported for every run and every point."""

from __future__ import annotations

import numpy

from plots.metrics import task_metrics
from plots.requirements.verdicts import Results, Verdict, filled, some, with_weights
from plots.summaries import summary

MANY_CLASSES = {"CIFAR100", "TinyImageNet", "imagenet"}  # data sets of 100 classes or more
POINTS, SEEDS, FALL = 5, 3, 2.0  # least values of a knob, seeds, and points of accuracy below dense


def structured(results: Results) -> Verdict:
    """Name network, data set and method of every run in columns of their own."""
    return filled(results.there, ["task", "dataset", "method", "knob"])


def two_axes(results: Results) -> Verdict:
    """Report compression and theoretical speed-up."""
    return filled(with_weights(results.there), ["compression", "theoretical_speedup"])


def conventions(results: Results) -> Verdict:
    """Say whether compression counts prunable or all parameters, and count multiply-adds."""
    return filled(with_weights(results.there), ["prunable", "parameters", "total_compression", "macs_dense"])


def top_five(results: Results) -> Verdict:
    """Report top-1 and top-5 accuracy where there are 100 classes or more."""
    counted = set(results.there.loc[results.there["test_top5"].notna(), "dataset"])
    many = results.there[results.there["dataset"].isin(MANY_CLASSES | counted)]
    return (None, "no data set has 100 classes") if many.empty else filled(many, ["test_accuracy", "test_top5"])


def curves(results: Results) -> Verdict:
    """Measure at least five compressions of every method, up to where accuracy falls."""
    lines = summary(results.runs)
    metrics = task_metrics(results.runs)
    dense = lines[lines["method"] == "dense"].groupby("task")["test_mean"].mean()
    rows = lines[(lines["knob"] != "none") & numpy.isfinite(lines["compression"])]
    few, flat = [], []
    for (task, method), own in rows.groupby(["task", "method"]):
        few += [f"{method} on {task} has {len(own)}"] if len(own) < POINTS else []
        full = dense.get(task, numpy.nan)
        fallen = full - metrics[task].margin(FALL, full)
        if not own.sort_values("compression")["test_mean"].iloc[-1] <= fallen:
            flat.append(f"{method} on {task}")
    faults = [f"fewer than {POINTS}: {some(few)}"] * bool(few)
    faults += [f"not seen to fall {FALL:g} points below dense at the end: {some(flat)}"] * bool(flat)
    curves = rows.groupby(["task", "method"]).ngroups
    return not faults, "; ".join(faults) or f"all {curves} curves"


def raw(results: Results) -> Verdict:
    """Report accuracy itself and not its change alone."""
    return filled(results.runs[results.runs["status"] == "ok"], ["val_accuracy", "test_accuracy"])


def spread(results: Results) -> Verdict:
    """Report mean and sample standard deviation over at least three seeds."""
    lines = summary(results.runs)
    few = lines[lines["n"] < SEEDS]
    cells = [f"{m} {v:g} has {n}" for m, v, n in few[["method", "value", "n"]].itertuples(index=False)]
    return not cells, f"{some(cells)} of {len(lines)} points" if cells else f"at all {len(lines)} points"
