"""The answers of an experiment's runs, example by example."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy
from numpy.typing import NDArray

from benchmark.errors import UsageError
from benchmark.records.bits import decode
from benchmark.records.schema import CORRECT_COLUMNS
from plots.tables import with_packed


class Answers(Mapping[str, NDArray[numpy.bool_]]):
    """By key of a run, whether each test example was classified correctly [examples].

    An answer is decoded when it is asked for: those of many runs may be larger than memory.
    """

    def __init__(self, cells: dict[str, tuple[int, str]]):
        self._cells = cells

    def __getitem__(self, key: str) -> NDArray[numpy.bool_]:
        examples, text = self._cells[key]
        return decode(text, examples)

    def accuracy(self, key: str) -> float:
        """Return the percentage of correct answers, without decoding each of them."""
        examples, text = self._cells[key]
        return 100 * int.from_bytes(base64.b64decode(text)).bit_count() / max(examples, 1)

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)


def correct(folder: Path | str) -> Answers:
    """Return by key whether each test example was classified correctly, in the order of the test set.

    So the runs of two methods can be compared example by example, which tells smaller differences apart than their
    accuracies do. Runs of older versions and runs without a result are missing. If a run was repeated, its last row
    counts. Raises UsageError if a file is not such a table.
    """
    path = Path(folder) / "correct.csv"
    table = with_packed(path, CORRECT_COLUMNS, ("examples",))
    texts, held = table["correct"], -(-table["examples"] // 8)  # bytes
    sound = texts.str.fullmatch("[A-Za-z0-9+/]*=*") & (texts.str.count("=") == -held % 3)
    damaged = table[~(sound & (texts.str.len() == 4 * -(-held // 3)))]
    if len(damaged):
        raise UsageError(f"{path} holds a damaged cell in the row of run {damaged['key'].iloc[0]}")
    cells = zip(table["examples"].astype(int), texts, strict=True)
    return Answers(dict(zip(table["key"], cells, strict=True)))
