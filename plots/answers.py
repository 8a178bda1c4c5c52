"""The answers of an experiment's runs, example by example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy
from numpy.typing import NDArray

from benchmark.errors import UsageError
from benchmark.records.bits import packed, unpacked
from benchmark.records.schema import CORRECT_COLUMNS
from plots.tables import with_packed


class Answers(Mapping[str, NDArray[numpy.bool_]]):
    """By key of a run, whether each test example was classified correctly [examples].

    `cells` holds the number of examples and the bits. An answer is unpacked when it is asked for: those of many runs
    may be larger than memory.
    """

    def __init__(self, cells: dict[str, tuple[int, bytes]]):
        self.cells = cells

    def __getitem__(self, key: str) -> NDArray[numpy.bool_]:
        examples, held = self.cells[key]
        return unpacked(held, examples)

    def examples(self, key: str) -> int:
        """Return the number of test examples."""
        return self.cells[key][0]

    def packed(self, keys: Iterable[str]) -> NDArray[numpy.uint8]:
        """Return the answers of runs on one test set, eight in a byte [runs, bytes]; the last byte ends in zeros."""
        rows = [self.cells[key][1] for key in keys]
        return numpy.frombuffer(b"".join(rows), dtype=numpy.uint8).reshape(len(rows), -1)

    def accuracy(self, key: str) -> float:
        """Return the percentage of correct answers, without unpacking each of them."""
        examples, held = self.cells[key]
        return 100 * int.from_bytes(held).bit_count() / max(examples, 1)

    def __iter__(self) -> Iterator[str]:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.cells)


def correct(folder: Path | str) -> Answers:
    """Return by key whether each test example was classified correctly, in the order of the test set.

    So the runs of two methods can be compared example by example, which tells smaller differences apart than their
    accuracies do. Runs of older versions and runs without a result are missing. If a run was repeated, its last row
    counts. Raises UsageError if a file is not such a table.
    """
    path = Path(folder) / "correct.csv"
    table = with_packed(path, CORRECT_COLUMNS, ("examples",))
    cells = {}
    for key, examples, text in zip(*(table[name].tolist() for name in CORRECT_COLUMNS), strict=True):
        try:
            cells[key] = int(examples), packed(text, int(examples))
        except (ValueError, TypeError):  # the latter for a missing cell
            raise UsageError(f"{path} holds a damaged cell in the row of run {key}") from None
    return Answers(cells)
