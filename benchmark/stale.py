"""Which rows another version of the code computed: the same run would have another key today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from benchmark.errors import UsageError
from benchmark.experiments import Run
from methods.registry import MethodError


def stale_keys(rows: Iterable[Mapping[str, str]]) -> set[str]:
    """The keys of rows whose task's recipe or whose method has changed since; what is not known here is left alone."""
    stale = set()
    for row in rows:
        point = row["task"], row["method"], float(row["value"]), int(row["seed"]), int(row["epochs"])
        made_data = row["experiment"].endswith("-smoke")
        run = Run(*point, float(row["learning_rate"]), row["precision"], made_data)
        try:
            current = run.key == row["key"]
        except (UsageError, MethodError):
            current = True
        if not current:
            stale.add(row["key"])
    return stale
