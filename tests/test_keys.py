"""The keys of all committed rows: none of them may ever move."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

from benchmark.experiments.run import Run
from benchmark.records.table import read

ROOT = Path(__file__).parent.parent
COMMITTED = sorted([*ROOT.glob("results/*/runs.csv"), *ROOT.glob("docs/*/runs.csv")])
# Rows of an older version of their method: `snip` with iterations and `prox-l1` are at version 2.
OLDER = {"prox-l1": 24, "snip[iterations=100]": 6}


def test_no_key_of_a_committed_row_moves() -> None:
    """Should this fail, finished runs of every user would be computed again."""
    rows = [row for path in COMMITTED for row in read(path)]
    assert len(rows) >= 2327
    older: Counter[str] = Counter()
    today = []
    for row in rows:
        point = row["task"], row["method"], float(row["value"]), int(row["seed"]), int(row["epochs"])
        key = Run(*point, float(row["learning_rate"]), row["precision"]).key
        today.append(key)
        if key != row["key"]:
            older[row["method"]] += 1
    assert older == OLDER
    # The rows of an older version have a key today, too, which is the one that a new run of theirs would get.
    digest = hashlib.sha256(" ".join(sorted(set(today))).encode()).hexdigest()
    assert digest[:16] == "d7445ea128ef0557"
