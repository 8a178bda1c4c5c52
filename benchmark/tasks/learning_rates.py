"""The tables of published searches, and the learning rates that they chose, which recipes use."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from methods.core.registry import label, parse
from methods.dwf import Factorization

HERE = Path(__file__).resolve()
# The published results: of a source checkout, and as an installed package holds them.
FOLDERS = (HERE.parents[2] / "results" / "reference", HERE.parents[1] / "reference")

MATCHED = "learning-rate-lenet5-dwf"  # the one search of `dwf` with matched rates


@cache
def searched(task: str, *searches: str) -> Mapping[str, float]:
    """Return the learning rate that was chosen for each method on a task, by the method's written form.

    `searches` are experiments; where several chose for one method, the last of them counts. A method that was searched
    only with options has an entry without options, too: the smallest of its chosen learning rates. The zero threshold
    hardly changes which learning rate is best, so it is left out. All searches but MATCHED trained version 1 of
    `dwf`, whose rates were equal; their entries are those of `rates=equal`.
    """
    chosen: dict[str, float] = {}
    for search in searches:
        with published(search, "learning_rates.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["task"] == task and row["chosen"] == "true":
                    method = parse(row["method"])
                    if isinstance(method, Factorization) and search != MATCHED:
                        method = replace(method, rates="equal")
                    chosen[label(method)] = float(row["learning_rate"])
    smallest: dict[str, float] = {}
    for written, learning_rate in chosen.items():
        method = parse(written)
        name = method.name + "[rates=equal]" * (isinstance(method, Factorization) and method.rates == "equal")
        smallest[name] = min(learning_rate, smallest.get(name, learning_rate))
    return smallest | chosen


def published(experiment: str, table: str) -> Path:
    """Return the path of a table of an experiment's published results; the first folder that exists holds them."""
    folder = next((folder for folder in FOLDERS if folder.is_dir()), FOLDERS[0])
    return folder / experiment / table
