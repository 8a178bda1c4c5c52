"""The folder of an experiment's results: one object that locks it, reads and extends its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import UsageError
from benchmark.experiments.run import Keys, Run
from benchmark.records.files import replacing
from benchmark.records.repair import compress, compress_growing
from benchmark.records.schema import (
    COLUMNS,
    CORRECT_COLUMNS,
    CURVE_COLUMNS,
    LAYER_COLUMNS,
    THRESHOLD_COLUMNS,
    Row,
    Status,
)
from benchmark.records.table import append, cell, read
from benchmark.sweep.invocation import as_written, latest
from benchmark.sweep.lock import holding, is_held
from benchmark.sweep.tables import NETWORKS, PACKED, check_readable, check_writable, repair_tables
from benchmark.sweep.upgrade import has_content
from benchmark.training.checkpoint import remove

if TYPE_CHECKING:
    from benchmark.training.measure import Result

# The columns by which a sweep knows what is finished, how long it took, and how well each method does.
KNOWN = (
    "key", "task", "metric", "better", "method", "value", "epochs", "precision", "compression", "val_metric",
    "val_accuracy", "train_seconds", "status", "error", "device", "hardware",
)  # fmt: skip


class ResultsFolder:
    """A folder with the tables, the lock, the checkpoints and the kept networks of one experiment.

    Reading needs no lock. Whoever writes does so inside `writing`.
    """

    def __init__(self, path: Path):
        self.path = path
        self._keys = Keys()
        self.check_held: Callable[[], None] = lambda: None  # raises UsageError if a lock that was taken is lost

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        """The rows of runs.csv with the columns in KNOWN; a missing or empty file has none.

        The file is read once, and `append` extends them.
        """
        path = self.path / "runs.csv"
        check_readable(path)
        with suppress(FileNotFoundError):
            path.stat()  # raises where a folder of the path is a file
        return read(path, only=KNOWN) if has_content(path) else []

    def failed(self, row: dict[str, str]) -> bool:
        """Tell whether a row's run failed, so that `--retry failed` trains it again."""
        try:
            return Status(row["status"]).failed
        except ValueError:
            raise UsageError(
                f"{self.path / 'runs.csv'} holds {row['status']!r} as the status of run {row['key']}; "
                f"statuses are {', '.join(Status)}"
            ) from None

    def to_do(self, runs: Sequence[Run], retry: bool = False) -> list[Run]:
        """Return the runs that have no row yet, and with `retry` also those that failed."""
        done = {row["key"] for row in self.rows if not (retry and self.failed(row))}
        return [run for run in runs if self._keys.of(run) not in done]

    def failed_runs(self, runs: Sequence[Run]) -> int:
        """Return how many of these runs failed, now or before, and have not finished since."""
        failed = {row["key"] for row in self.rows if self.failed(row)}
        failed -= {row["key"] for row in self.rows if not self.failed(row)} if failed else set()
        return sum(self._keys.of(run) in failed for run in runs) if failed else 0

    def check_one_budget(self, runs: Sequence[Run], several: bool = False) -> None:
        """Raise UsageError unless the runs share epochs and precision with the finished runs of the same task.

        A front that mixes budgets would compare what cannot be compared. The epochs may differ if the experiment
        compares `several` budgets.
        """
        budgets = {(row["task"], self._epochs(row), row["precision"]) for row in self.rows if not self.failed(row)}
        for task, epochs, precision in budgets:
            for run in runs:
                same = run.precision == precision and (several or run.epochs == epochs)
                if run.task == task and not same:
                    raise UsageError(
                        f"{self.path / 'runs.csv'} holds runs of {epochs} epochs in {precision} on {task}, and these "
                        f"would be of {run.epochs} in {run.precision}; choose another folder with --results"
                    )

    def _epochs(self, row: dict[str, str]) -> int:
        try:
            return int(row["epochs"])
        except ValueError:
            raise UsageError(
                f"{self.path / 'runs.csv'} holds {row['epochs']!r} as the epochs of run {row['key']}, "
                "which is no whole number"
            ) from None

    @contextmanager
    def writing(self) -> Iterator[list[str]]:
        """Create the folder, lock it, and repair and upgrade its tables; yield one warning for each repair.

        Raises UsageError if the folder cannot be written, another sweep holds it, or a table has foreign columns.
        When a UsageError ends the block, folders that were created for it and are still empty are removed.
        """
        check_writable(self.path)
        created = [path for path in (self.path, *self.path.parents) if not path.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with self.lock():
                self.__dict__.pop("rows", None)  # another sweep may have ended since they were read
                yield repair_tables(self.path)
        except UsageError:
            with suppress(OSError):
                for path in created:
                    path.rmdir()
            raise

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder, which exists, until the block ends; raise UsageError if another sweep holds it."""
        with holding(self.path, self._holder) as self.check_held:
            yield

    def is_locked(self) -> bool:
        """Tell whether a sweep is writing to the folder."""
        return is_held(self.path)

    def append(self, rows: Sequence[Row], results: Sequence[Result]) -> None:
        """Write finished runs: runs.csv last, since a row in it says that its run is complete.

        Their checkpoints are deleted afterwards. Raises UsageError if another sweep may be writing by now.
        """
        self.check_held()
        pairs = list(zip([row.key for row in rows], results, strict=True))
        curves = [(key, epoch, metric, f"{x:.6g}") for key, result in pairs for epoch, metric, x in result.curves]
        layers = [(key, *layer) for key, result in pairs for layer in result.layers]
        thresholds = [(key, *point) for key, result in pairs for point in result.at_thresholds]
        correct = [(key, *result.correct) for key, result in pairs if result.correct]
        cells = [[getattr(row, column) for column in COLUMNS] for row in rows]
        before = self.rows  # read before the file grows
        for key, result in pairs:
            if result.network is not None:
                (self.path / NETWORKS).mkdir(exist_ok=True)
                with replacing(self.network(key), follow=False) as file:
                    file.write(result.network)
        append(self.path / "curves.csv", CURVE_COLUMNS, curves)
        append(self.path / "layers.csv", LAYER_COLUMNS, layers)
        if thresholds:
            append(self.path / "thresholds.csv", THRESHOLD_COLUMNS, thresholds)
        if correct:
            append(self.path / "correct.csv", CORRECT_COLUMNS, correct)
        append(self.path / "runs.csv", COLUMNS, cells)
        before += [{name: cell(getattr(row, name)) for name in KNOWN} for row in rows]
        for path in (result.checkpoint for result in results if result.checkpoint):
            remove(path)
        for table in PACKED:
            compress_growing(self.path / table)

    def network(self, key: str) -> Path:
        """Return the file of a run's final network, which is there if the run was computed with `--keep-networks`."""
        return self.path / NETWORKS / f"{key}.safetensors"

    def compress(self) -> None:
        """Pack the tables that grow long."""
        for table in PACKED:
            compress(self.path / table)

    def _holder(self) -> str:
        """Describe the sweep that holds the folder, as its invocation's file does."""
        invocation = latest(self.path)
        if invocation is None or invocation.end:
            return ""
        return f", `{invocation.command}` since {as_written(invocation.start)} as process {invocation.process},"
