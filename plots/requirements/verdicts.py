"""The data that every requirement judges, the verdict that it returns, and the sentences that they share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas

Verdict = tuple[bool | None, str]  # whether the requirement holds, None where it does not apply, and the reason


@dataclass(frozen=True)
class Results:
    """The runs of all folders in one table, those that were measured, and the runs by folder."""

    runs: pandas.DataFrame
    there: pandas.DataFrame
    by_folder: Mapping[Path, pandas.DataFrame]


def filled(rows: pandas.DataFrame, columns: Sequence[str]) -> Verdict:
    empty = {name: int((rows[name].isna() | (rows[name] == "")).sum()) for name in columns}
    faults = [f"{name} is empty in {count} of {len(rows)} runs" for name, count in empty.items() if count]
    return not faults, ", ".join(faults) or f"{', '.join(columns)} in all {len(rows)} runs"


def with_weights(rows: pandas.DataFrame) -> pandas.DataFrame:
    return rows[rows["density"] > 0]


def each_task(results: Results, kinds: dict[str, pandas.Series]) -> Verdict:
    tasks = set(results.there["task"])
    lacking = [
        f"{kind} on {task}" for kind, own in kinds.items() for task in sorted(tasks - set(results.there["task"][own]))
    ]
    return not lacking, f"missing: {some(lacking)}" if lacking else f"{' and '.join(kinds)} on every task"


def some(texts: Collection[str], most: int = 4) -> str:
    """Join texts, and count those beyond the first few."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(list(texts)[:most]) + more
