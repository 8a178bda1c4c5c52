"""The numbers of sentences about single runs, trials of learning rates, layers and multiply-adds."""

from __future__ import annotations

import functools
from fnmatch import fnmatch

import pandas

from benchmark.errors import UsageError
from plots.doc_blocks.published import folder, matching, rounded, runs, scored
from plots.figures.layers import shares
from plots.learning_rates import learning_rates
from plots.metrics import metric_of
from plots.results import measured, traces


def seeds(experiment: str, method: str, value: str) -> str:
    """Return test score and compression of each measured seed, by compression, as in `82.3 % at 492, 83.3 % at 912`."""
    own = matching(measured(runs(experiment)), experiment, method, value=value).sort_values("compression")
    cells, metric = zip(own["test_accuracy"], own["compression"], strict=True), metric_of(own)
    return ", ".join(f"{scored(metric, score)} at {rounded(ratio, 0)}" for score, ratio in cells)


def below(experiment: str, methods: str, least_value: str, accuracy: str) -> str:
    """Return how many runs ended below a test accuracy, as in `5 of 12`.

    `methods` may have the wildcard `*`; runs below the least value of the knob do not count.
    """
    table = measured(runs(experiment))
    own = table[table["method"].map(lambda name: fnmatch(name, methods)) & (table["value"] >= float(least_value))]
    if own.empty:
        raise UsageError(f"{experiment} has no run of {methods} at {least_value} or more")
    return f"{int((own['test_accuracy'] < float(accuracy)).sum())} of {len(own)}"


def diverged(experiment: str, method: str, value: str = "", learning_rate: str = "") -> str:
    """Return how many runs diverged, as in `2 of 3`; an empty argument counts the runs at all of its values."""
    own = matching(runs(experiment), experiment, method, value=value, learning_rate=learning_rate)
    return f"{int((own['status'] == 'diverged').sum())} of {len(own)}"


def trial(experiment: str, method: str, value: str, learning_rate: str) -> str:
    """Return validation score and compression of a trial, as in `86.0 % at 66`; of dense the score alone.

    If there are several, it is the one of the longest training, and then of the first seed.
    """
    table = measured(runs(experiment))
    found = matching(table, experiment, method, value=value, learning_rate=learning_rate)
    own = found.sort_values(["epochs", "seed"], ascending=[True, False], kind="stable").iloc[-1]
    compression = "" if own["method"] == "dense" else f" at {rounded(own['compression'], 0)}"
    return f"{scored(metric_of(found), own['val_accuracy'])}{compression}"


def curve(experiment: str, method: str, value: str, epoch: str) -> str:
    """Return the mean validation score of a method at a value after an epoch, as in `88.4 %`.

    Raises UsageError if its runs have no curve there.
    """
    own = matching(measured(runs(experiment)), experiment, method, value=value)
    over_time = traces(folder(experiment), own, ["val_accuracy"])
    scores = over_time.loc[over_time["epoch"] == float(epoch), "val_accuracy"]
    if scores.empty:
        raise UsageError(f"{experiment} has no curve of {method} at {value} after epoch {epoch}")
    return scored(metric_of(own), scores.mean())


@functools.cache
def _searched(experiment: str) -> pandas.DataFrame:
    return learning_rates(runs(experiment))


def steady(experiment: str, method: str) -> str:
    """Return the largest learning rate at which no run of a method diverged, as in 0.8."""
    own = matching(_searched(experiment), experiment, method)
    return f"{own.loc[own['diverged'] == 0, 'learning_rate'].max():g}"


def chosen(experiment: str, method: str) -> str:
    """Return the learning rate that a search chose for a method, as in 0.8."""
    table = _searched(experiment)
    return f"{matching(table[table['chosen']], experiment, method)['learning_rate'].item():g}"


def zeros(experiment: str, method: str, value: str) -> str:
    """Return the range of the share of zero weights in percent over the runs at a value, as in `37 to 48`."""
    percent = 100 * (1 - matching(measured(runs(experiment)), experiment, method, value=value)["density"])
    return f"{rounded(percent.min(), 0)} to {rounded(percent.max(), 0)}"


def kept(experiment: str, method: str, value: str, layer: str, digits: str = "1") -> str:
    """Return the mean share of a layer's weights that is left, in percent, as in 2.7."""
    table = shares(folder(experiment), runs(experiment))
    own = matching(table[table["layer"] == layer], experiment, method, value=value)
    return rounded(own["density"].item(), int(digits))


def speedup(experiment: str, method: str, value: str) -> str:
    """Return the mean ratio of multiply-adds, dense over sparse, of a method at a value, as in 41."""
    own = matching(measured(runs(experiment)), experiment, method, value=value)
    return rounded(own["theoretical_speedup"].mean(), 0)
