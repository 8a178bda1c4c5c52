"""The final networks that `sparsefront run --keep-networks` has kept."""

from __future__ import annotations

from pathlib import Path

import torch

from benchmark.deployment.storage import load_network
from benchmark.errors import UsageError
from benchmark.experiments.run import run_of
from benchmark.records.table import read
from benchmark.sweep.folder import ResultsFolder
from benchmark.tasks.registry import get_task
from benchmark.tasks.task import Task


def find_run(key: str, results: Path) -> tuple[Path, dict[str, str]]:
    """Return the folder and the row of a run, looked up in RESULTS/*/runs.csv; raise UsageError if none has the key."""
    for table in sorted(results.glob("*/runs.csv")):
        for row in read(table):
            if row["key"] == key:
                return table.parent, row
    raise UsageError(
        f"no run under {results} has the key {key!r}; the first column of RESULTS/EXPERIMENT/runs.csv has keys"
    )


def load_run(key: str, results: Path | str = "results") -> tuple[torch.nn.Module, Task]:
    """Return the final network of a run of this folder of results, as a plain module, and its task.

    The network is in evaluation mode. Raises UsageError for an unknown key, and for a run whose network was not kept.
    """
    folder, row = find_run(key, Path(results).expanduser())
    path = ResultsFolder(folder).network(key)
    if not path.exists():
        raise UsageError(
            f"the network of run {key} was not kept; `sparsefront run {row['experiment']} --keep-networks` with "
            "another --results folder computes it again and keeps it"
        )
    task = get_task(run_of(row).task)
    with torch.random.fork_rng(devices=[]):
        model = task.model()
    return load_network(path, model).eval(), task
