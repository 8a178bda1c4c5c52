"""The checklist of Blalock et al. for results of pruning, evaluated on results folders.

D. Blalock, J. J. Gonzalez Ortiz, J. Frankle & J. Guttag, "What is the State of Neural Network Pruning?", MLSys 2020.
The last two items compare with published curves. An item passes, fails, or does not apply, and says why in numbers of
these runs; `requirements` has a function for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import pandas

from plots.report import shown_runs
from plots.requirements import ITEMS, Results
from plots.results import measured


@dataclass(frozen=True)
class Item:
    """One requirement; `passed` is None where it does not apply."""

    number: int
    requirement: str
    passed: bool | None
    reason: str


def checklist(folders: Sequence[Path], stale: Set[str] = frozenset()) -> list[Item]:
    """Return the items for the runs of all folders together; `stale` holds the keys of stale rows.

    Raises UsageError if the results of a folder cannot be read.
    """
    return judged({folder: shown_runs(folder, stale=stale)[1] for folder in folders})


def judged(tables: Mapping[Path, pandas.DataFrame]) -> list[Item]:
    """Return the items for the shown runs of all folders together."""
    runs = pandas.concat(tables.values(), ignore_index=True).drop_duplicates("key", ignore_index=True)
    results = Results(runs, measured(runs), tables)
    return [
        Item(number, (item.__doc__ or "").partition("\n")[0], *item(results)) for number, item in enumerate(ITEMS, 1)
    ]
