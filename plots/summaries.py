"""Means over seeds, and the sentences that captions share."""

from __future__ import annotations

import math

import pandas

from benchmark.records.schema import EPSILON
from plots.given import SUMMED, Runs, table_of
from plots.results import VALUE, ended, measured


def summary(runs: Runs, point: list[str] = VALUE) -> pandas.DataFrame:
    """Return one line for each point (task, method, knob and value) with a measured run: means over n of `asked` seeds.

    Accuracies are in percent. A run that diverged or kept no weight counts: its accuracies are chance, and `missed` is
    the number of such runs among the n. Compression is 1 / mean density of the others, and infinite if no run kept a
    weight; `compression_min` and `compression_max` are those of the runs. `test_std` and `val_std` are sample standard
    deviations, NaN at n = 1. Runs that failed, as for lack of memory, are in no mean. Runs are as in `front`.
    """
    runs = table_of(runs, SUMMED)
    found = ended(runs)
    kept = found.assign(**{name: found[name].mask(found["missed"]) for name in ("nonzeros", "prunable")})
    kept["compression"] = kept["compression"].mask(found["status"] == "diverged")
    lines = kept.groupby(point, as_index=False).agg(
        n=("seed", "size"),
        missed=("missed", "sum"),
        test_mean=("test_accuracy", "mean"),
        test_std=("test_accuracy", "std"),
        val_mean=("val_accuracy", "mean"),
        val_std=("val_accuracy", "std"),
        val_loss=("val_loss", "mean"),
        nonzeros=("nonzeros", "mean"),
        prunable=("prunable", "mean"),
        density=("share", "mean"),
        compression_min=("compression", "min"),
        compression_max=("compression", "max"),
    )
    lines = lines[lines["compression_max"].notna()].reset_index(drop=True)
    lines["density"] = lines["density"].fillna(0.0)
    lines["compression"] = 1 / lines["density"]
    tried = runs.groupby(point, as_index=False).agg(asked=("key", "size"))
    return lines.merge(tried, on=point)


def failed(runs: pandas.DataFrame) -> int:
    """Return the number of runs without a measurement, those that diverged included."""
    return len(runs) - len(measured(runs))


def budgets(runs: pandas.DataFrame) -> str:
    """Name the methods that took more training steps than others, as in `imp took 4 to 22 times the steps`.

    The text is empty if all took as many.
    """
    found = []
    for _, same in measured(runs).groupby("task"):
        steps = same.groupby("method")["steps"].agg(["min", "max"])
        times = (steps / steps["max"].min()).round()
        found += [(method, few, many) for method, few, many in times.itertuples() if many > 1]
    shown = [(method, f"{few:g} to {many:g}" if few < many else f"{many:g}") for method, few, many in found]
    return ", ".join(f"{method} took {times} times the steps" for method, times in dict.fromkeys(shown))


def thresholds(runs: pandas.DataFrame) -> str:
    """Name the zero thresholds, as in `zero: |w| < 0.0001`; the text is empty if all are the default."""
    penalized = runs[(runs["penalty"].notna()) & (runs["knob"] != "density")]
    if (runs["counted"] == "validated").any():
        low, high = penalized["threshold"].min(), penalized["threshold"].max()
        return f"zero: |w| < {low:.2g} to {high:.2g}, chosen on validation data"
    others = {
        value
        for value in runs["threshold"].dropna().unique()
        if value > 0 and not math.isclose(value, EPSILON, rel_tol=1e-3)
    }
    return f"zero: |w| < {' or '.join(f'{value:g}' for value in sorted(others))}" if others else ""


def disconnected(runs: pandas.DataFrame) -> str:
    """Name the methods of which more than 5 % of the weights left are on no path from an input to an output.

    The text has the lowest mean compression where that happens, as in `random from CR 20 on`. It is empty if there are
    none, or if effective weights were not counted.
    """
    found = []
    lines = measured(runs).groupby(VALUE)[["nonzeros", "effective_nonzeros", "prunable"]].mean().reset_index()
    for method, own in lines[lines["effective_nonzeros"] < 0.95 * lines["nonzeros"]].groupby("method"):
        found.append(f"{method} from CR {(own['prunable'] / own['nonzeros']).min():.3g} on")
    return ", ".join(found)


def processors(runs: pandas.DataFrame) -> list[str]:
    """Name the processors and accelerators whose runs are averaged in one mean, sorted; none if no mean mixes them.

    One model with other vector instructions is another processor. Rows of older versions that name none do not count.
    """
    there = measured(runs)
    names = there["hardware"].str.cat(there["cpu_capability"], sep=" ").str.strip()
    named = there.assign(processor=names)[there["hardware"] != ""]
    mixed: set[str] = set()
    for _, same in named.groupby(VALUE):
        # A row that does not know its instructions is of the same processor as one that does.
        if max(same[column].replace("", None).nunique() for column in ("hardware", "cpu_capability")) > 1:
            mixed |= set(same["processor"])
    return sorted(mixed)


def stale_methods(runs: pandas.DataFrame) -> list[str]:
    """Return the methods with measured rows that another version of the code computed, sorted."""
    return sorted(measured(runs).loc[runs["stale"], "method"].unique())


def stale(runs: pandas.DataFrame, most: int | None = None) -> str:
    """Name the methods of `stale_methods`, as in `old rows of snip`, or nothing.

    With `most`, further methods are counted, as in `old rows of snip and 9 more methods`.
    """
    methods = stale_methods(runs)
    more = f" and {len(methods) - most} more methods" if most is not None and len(methods) > most else ""
    return f"old rows of {', '.join(methods[:most])}{more}" if methods else ""


def seeds(lines: pandas.DataFrame) -> str:
    """Count the seeds of the lines of a summary, as in `3 seeds`, `1 to 3 seeds`, or `2 to 3 of 3 seeds`."""
    low, high, asked = lines["n"].min(), lines["n"].max(), lines["asked"].max()
    some = f"{low} to {high}" if low < high else f"{high}"
    if (lines["n"] < lines["asked"]).any():
        return f"{some} of {asked} seeds"
    return f"{some} seed" if high == 1 else f"{some} seeds"


def titled(title: str, runs: pandas.DataFrame) -> str:
    """Return the title of a figure, with the zero threshold if it is not the default."""
    return f"{title} ({zero})" if (zero := thresholds(runs)) else title


def subtitle(runs: pandas.DataFrame, lines: pandas.DataFrame) -> str:
    """Return the line below a figure's title.

    It has the seeds, epochs, that processors are mixed, and stale methods.
    """
    numbers = " or ".join(f"{number:g}" for number in sorted(runs["epochs"].unique()))
    epochs = f"{numbers} epoch{'' if numbers == '1' else 's'}"
    mixed = "several processors" if processors(runs) else ""
    return ", ".join(filter(None, [seeds(lines), epochs, mixed, stale(runs, 4)]))
