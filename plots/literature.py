"""Published curves: literature.csv has a row for each published accuracy, with its source and its protocol.

Only numbers that a public file or page holds are in it. A method that this suite has stands there under its label here,
others under the name of their paper. Protocols differ from ours in budget, recipe and in the epoch that counts, so
levels are compared relative to the dense network of the same source.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from importlib.resources import files
from itertools import combinations

import pandas

from plots.looks import KNOWN
from plots.readings import read_at, seed_curves
from plots.results import measured

WORSE = 1.5  # points below dense that a method may lose more here than published before its level is lost
APART = 3.0  # points by which two published methods have to differ before their order counts


@cache
def literature() -> pandas.DataFrame:
    """Return the published rows: task, method, compression, test_accuracy, spread, n, source, protocol."""
    with files("plots").joinpath("literature.csv").open(encoding="utf-8") as file:
        return pandas.read_csv(file)


def cited(rows: Iterable[pandas.DataFrame]) -> str:
    """Return the sentence of a caption that names the sources of published marks; empty if there are none."""
    sources = sorted({source.partition(",")[0] for own in rows for source in own["source"]})
    return f" Faint: published by {', '.join(sources)}, under other protocols." if sources else ""


def published(task: str, labels: Collection[str]) -> pandas.DataFrame:
    """Return the published rows of a task, with their points above the dense network of their source, if it has one.

    They are of the methods with these labels, and of those that this suite does not have.
    """
    rows = literature()[lambda table: table["task"] == task]
    rows = rows[rows["method"].isin(["dense", *labels]) | ~rows["method"].isin(KNOWN)]
    dense = rows[rows["method"] == "dense"].set_index("source")["test_accuracy"]
    rows = rows[rows["method"] != "dense"].copy()
    rows["points"] = rows["test_accuracy"] - rows["source"].map(dense)
    return rows


def compared(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the published rows of methods that these runs read at the same compression, with points above dense.

    `own` is the mean test accuracy here and `own_points` its points above dense.
    """
    parts = []
    for task, here in runs.groupby("task"):
        rows = published(str(task), here["label"].unique())
        rows = rows[rows["method"].isin(here["label"])]
        if rows.empty:
            continue
        label = here.drop_duplicates("method").set_index("method")["label"]
        curves = seed_curves(here[here["method"] != "dense"])
        readings = read_at(curves, sorted(rows["compression"].unique()))
        first = readings["method"].map(curves.groupby("method")["compression"].min())
        readings = readings[readings["at"] >= 0.99 * first]  # a smaller compression was not measured
        readings["method"] = readings["method"].map(label)
        own = readings.groupby(["method", "at"], as_index=False).agg(own=("test_accuracy", "mean"))
        rows = rows.merge(own.rename(columns={"at": "compression"}), on=["method", "compression"])
        dense = measured(here)[lambda table: table["method"] == "dense"]["test_accuracy"].mean()
        parts.append(rows.assign(own_points=rows["own"] - dense))
    return pandas.concat(parts, ignore_index=True) if parts else pandas.DataFrame()


def lost_levels(rows: pandas.DataFrame) -> list[str]:
    """Name the rows of `compared` where a method loses more accuracy against dense than published."""
    lost = rows[rows["own_points"] < rows["points"] - WORSE]
    return [
        f"{line['method']} at {line['compression']:g} on {line['task']}: {line['own_points']:+.1f}, "
        f"published {line['points']:+.1f}"
        for line in lost.to_dict("records")
    ]


def lost_orders(rows: pandas.DataFrame) -> list[str]:
    """Name the pairs of published methods, clearly apart in one source, that are in the other order here."""
    lost = []
    for (task, _, compression), here in rows.groupby(["task", "source", "compression"]):
        ranked = here.sort_values("test_accuracy", ascending=False).to_dict("records")
        for first, second in combinations(ranked, 2):
            if first["test_accuracy"] - second["test_accuracy"] >= APART and first["own"] < second["own"]:
                lost.append(f"{first['method']} below {second['method']} at {compression:g} on {task}")
    return lost
