"""Means over seeds, and the sentences that captions share."""

from __future__ import annotations

import math

import pandas

from plots.results import VALUE, measured

DEFAULT_THRESHOLD = 1.19e-7  # float32's machine epsilon: weights below it are zeros unless an option says otherwise


def summary(frame: pandas.DataFrame, point: list[str] = VALUE) -> pandas.DataFrame:
    """One line a point (task, method, knob and value) with a measured run: means over its n seeds, in percent.

    `test_std` and `val_std` are sample standard deviations, NaN at n = 1. `compression` is 1 / mean density, between
    the runs' own `compression_min` and `compression_max`. `failed` counts the value's runs that were not measured.
    """
    lines = (
        measured(frame)
        .groupby(point, as_index=False)
        .agg(
            n=("seed", "size"),
            test_mean=("test_accuracy", "mean"),
            test_std=("test_accuracy", "std"),
            val_mean=("val_accuracy", "mean"),
            val_std=("val_accuracy", "std"),
            val_loss=("val_loss", "mean"),
            nonzeros=("nonzeros", "mean"),
            prunable=("prunable", "mean"),
            density=("density", "mean"),
            compression_min=("compression", "min"),
            compression_max=("compression", "max"),
        )
    )
    lines["compression"] = 1 / lines["density"]
    tried = frame.groupby(point, as_index=False).agg(tried=("key", "size"))
    lines["failed"] = lines.merge(tried, on=point)["tried"] - lines["n"]
    return lines


def failures(frame: pandas.DataFrame) -> int:
    """How many runs were not measured."""
    return len(frame) - len(measured(frame))


def budgets(frame: pandas.DataFrame) -> str:
    """Who took more training steps than others, as in `imp[rounds=3] took 4 times the steps`; empty if nobody did."""
    found = []
    for _, runs in measured(frame).groupby("task"):
        steps = runs.groupby("method")["steps"].max()
        found += [(method, times) for method, times in (steps / steps.min()).round().items() if times > 1]
    return ", ".join(f"{method} took {times:g} times the steps" for method, times in dict.fromkeys(found))


def zeros(frame: pandas.DataFrame) -> str:
    """What counted as zero, as in `zeros: |w| < 0.0001`; empty where it was the default throughout."""
    found = frame["options"].str.extract(r"(?:^|[,\[])threshold=([^,\]]+)", expand=False).dropna().astype(float)
    others = sorted({value for value in found if not math.isclose(value, DEFAULT_THRESHOLD, rel_tol=1e-3)})
    return f"zeros: |w| < {' or '.join(f'{value:g}' for value in others)}" if others else ""


def outdated(frame: pandas.DataFrame) -> str:
    """Whose rows another version of the code computed, as in `stale: snip`; empty if nobody's."""
    methods = sorted(measured(frame).loc[frame["stale"], "method"].unique())
    return f"stale: {', '.join(methods)}" if methods else ""


def seeds(lines: pandas.DataFrame) -> str:
    """How many seeds stand behind the lines of a summary, as in `3 seeds` or `1 to 3 seeds`."""
    low, high = lines["n"].min(), lines["n"].max()
    if low < high:
        return f"{low} to {high} seeds"
    return "1 seed" if high == 1 else f"{high} seeds"


def subtitle(frame: pandas.DataFrame, lines: pandas.DataFrame) -> str:
    """What stands below a figure's title: seeds, epochs, and the zero if it is not the default."""
    epochs = " or ".join(f"{number:g}" for number in sorted(frame["epochs"].unique()))
    return ", ".join(filter(None, [seeds(lines), f"{epochs} epochs", zeros(frame), outdated(frame)]))
