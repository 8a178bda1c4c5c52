"""The data of one results folder for the page."""

from __future__ import annotations

import json
from collections.abc import Set
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas

from benchmark.errors import UsageError
from benchmark.records.schema import COLUMNS, THRESHOLD_COLUMNS
from plots.checklist import judged
from plots.learning_rates import learning_rates
from plots.looks import looks, names
from plots.metrics import metric_of, named, with_scores, with_values
from plots.page.boards import AS_COUNTED, EFFECTIVE, VALIDATED, boards
from plots.page.columns import packed
from plots.page.comparisons import comparisons
from plots.page.histories import curve_data, layer_data
from plots.report import shown
from plots.results import rows
from plots.tables import read_table
from plots.thresholds import validated

METRIC = ("name", "directed", "unit", "sign", "chance")
EXACT_ROWS = 20_000  # rows up to which a page has every digit of runs.csv
DIGITS = 5
ROUNDED = f"Measured numbers have {DIGITS} digits here; runs.csv has all. "
THRESHOLD_ROWS = 100_000
VALIDATED_ALONE = "The page has room for one other zero threshold of each run, the validated one. "
DEPLOYED = ("file_compression", "measured_speedup")


def folder_data(folder: Path, stale: Set[str], share: float) -> dict[str, Any]:
    """Return all that the page shows of a folder; `share` is its part of the room for curves and layers.

    Raises UsageError if the results cannot be read.
    """
    table = rows(folder)
    runs, own = shown(table, folder, None, stale, False)
    keys = runs["key"].tolist()
    several = runs.groupby(["task", "method"])["learning_rate"].nunique().max() > 1
    many = len(runs) > EXACT_ROWS * share
    thresholds, thresholds_said = _thresholds(folder, runs, share)
    counts = {AS_COUNTED: own}
    with suppress(UsageError):  # the runs do not have this count
        counts[EFFECTIVE] = shown(table, folder, None, stale, True)[1]
    with suppress(UsageError):
        counts[VALIDATED] = shown(table, folder, VALIDATED, stale, False)[1]
    curves, curves_said = curve_data(folder, keys, share)
    layers, layers_said = layer_data(folder, keys, share)
    return {
        "name": folder.resolve().name,
        "methods": _methods(runs),
        "metrics": {task: _metric(own) for task, own in runs.groupby("task")},
        "runs": packed(
            _as_written(runs)[[*COLUMNS, *DEPLOYED, "stale"]].assign(shown=runs["key"].isin(own["key"])),
            DIGITS if many else None,
        ),
        "thresholds": packed(thresholds, DIGITS if many else None),
        "boards": boards(counts),
        "comparisons": comparisons(counts),
        "checklist": [asdict(item) for item in judged({folder: own})],
        "trials": packed(_trials(runs)) if several else None,
        "curves": curves,
        "layers": layers,
        "invocations": _invocations(folder),
        "note": (ROUNDED if many else "") + thresholds_said + curves_said + layers_said,
    }


def _methods(runs: pandas.DataFrame) -> list[dict[str, Any]]:
    look = looks(runs)
    families = runs.drop_duplicates("method").set_index("method")["family"]
    return [
        {
            "method": method,
            "name": name,
            "family": families[method],
            **look[method]._asdict(),
        }
        for method, name in names(runs).items()
    ]


def _metric(runs: pandas.DataFrame) -> dict[str, Any]:
    metric = metric_of(runs)
    return {"accuracy": metric.is_accuracy, "label": metric.label, **{name: getattr(metric, name) for name in METRIC}}


def _trials(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the learning rates with values of the metric under its name."""
    table = with_values(learning_rates(runs), runs, "best_val_accuracy")
    return table.rename(columns={"best_val_accuracy": f"best_val_{named(runs)}"})


def _as_written(runs: pandas.DataFrame) -> pandas.DataFrame:
    """Return the runs without the scores that stand for another metric than accuracy."""
    other = runs["metric"] != "accuracy"
    return runs.assign(**{name: runs[name].mask(other) for name in ("val_accuracy", "test_accuracy")})


def _thresholds(folder: Path, runs: pandas.DataFrame, share: float) -> tuple[pandas.DataFrame, str]:
    """Return the counts of penalty runs at other zero thresholds; `run` is a row of the table of runs.

    Beyond the page's room they are those at validated thresholds alone, which the second part says.
    """
    columns = ["run", "threshold", "nonzeros", "density", "val_score", "score"]
    path = folder / "thresholds.csv"
    penalized = runs[runs["penalty"].notna() & (runs["knob"] != "density") & (runs["status"] == "ok")]
    if not path.is_file() or penalized.empty:
        return pandas.DataFrame(columns=columns), ""
    table = read_table(path, THRESHOLD_COLUMNS, THRESHOLD_COLUMNS[1:])
    table = table[table["key"].isin(penalized["key"])].drop_duplicates(["key", "threshold"], keep="last")
    table = with_scores(table, table["key"].map(penalized.set_index("key")["better"]))
    chosen = validated(table).assign(threshold=VALIDATED)
    few = len(table) > THRESHOLD_ROWS * share
    table = chosen if few else pandas.concat([table.sort_values("threshold"), chosen])
    table = table.rename(columns={"val_accuracy": "val_score", "test_accuracy": "score"})
    table = table.assign(run=table["key"].map({key: place for place, key in runs["key"].items()}))
    return table[columns], VALIDATED_ALONE if few else ""


def _invocations(folder: Path) -> list[dict[str, str]]:
    """Return the commands that computed the rows, as text by field; files that cannot be read are left out."""
    found = []
    for path in sorted((folder / "invocations").glob("*.json")):
        with suppress(OSError, ValueError, RecursionError):  # changed by hand, or half written
            fields = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(fields, dict):
                found.append({str(name): _words(value) for name, value in fields.items()})
    return found


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return {None: "", True: "yes", False: "no"}[value] if value is None or isinstance(value, bool) else str(value)
