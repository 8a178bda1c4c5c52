"""Random command lines and random tables: one sentence and a status, never a traceback."""

from __future__ import annotations

import io
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmark.cli import commands
from benchmark.errors import UsageError
from benchmark.records.repair import repair
from benchmark.records.schema import COLUMNS, CURVE_COLUMNS
from benchmark.records.table import encoded, read
from benchmark.sweep import estimate
from benchmark.sweep.status import overview
from plots.results import curves, load

BOUNDED = settings(max_examples=25, deadline=None, derandomize=True, database=None)
OPTIONS = [
    "tasks",
    "methods",
    "values",
    "seeds",
    "epochs",
    "precision",
    "tier",
    "device",
    "workers",
    "results",
    "nothing",
]
NUMBERS = ["", "-1", "0", "1", "nan", "inf", "1e400", "9" * 5000, "density=0.1", "density=nan", "=", ","]
FORMS = ["dense", "dwf[", "dwf[depth=1e9]", "imp[rounds=999999999]", "lenet300-digits[width=nan]"]
TEXTS = st.sampled_from([*NUMBERS, *FORMS, "cuda:99", "/dev/null", "\x1b[2J", "\ud800"])
WORDS = st.one_of(TEXTS, st.text(st.characters(exclude_characters="\0"), max_size=12))
LINES = st.tuples(
    st.sampled_from(["plan", "show", "status", "list", "quickstart", "--version", "-x", ""]),
    st.one_of(st.sampled_from(["quickstart", "methods", "dwf", "lenet300-digits"]), WORDS),
    st.lists(st.tuples(st.sampled_from(OPTIONS), WORDS), max_size=2),
)


@BOUNDED
@given(line=LINES)
@example(line=("plan", "quickstart", [("epochs", "9" * 20)]))
@example(line=("plan", "quickstart", [("epochs", "100000000")]))
@example(line=("plan", "quickstart", [("nothing", "1")]))
def test_a_command_line_ends_with_a_status_and_at_most_one_line_of_errors(
    line: tuple[str, str, list[tuple[str, str]]],
) -> None:
    command, name, given_options = line
    arguments = [command, name, *(part for option, text in given_options for part in (f"--{option}", text))]
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as empty, pytest.raises(SystemExit) as ended:
        patch.chdir(empty)
        patch.setattr(sys, "argv", ["sparsefront", *arguments])
        patch.setattr(estimate, "expected_seconds", lambda *_: (1.0, 0))  # timing takes seconds
        # `file` would give the stream of this test back to later ones
        patch.setattr(commands.errors, "_file", said := io.StringIO())
        patch.setattr(commands.console, "_file", io.StringIO())
        commands.main()
    assert ended.value.code in (0, None, 2)
    assert said.getvalue().count("\n") == (ended.value.code == 2)


def damaged(columns: tuple[str, ...]) -> st.SearchStrategy[bytes]:
    """Return tables of which cells, columns or bytes are wrong, and files that are no tables."""
    cell = st.sampled_from(["", "1", "nan", "inf", "-1", "1e400", "9" * 400, "ok", "x", '"', "[", "a,b", "\x00", "é"])
    row = st.lists(cell, min_size=len(columns) - 1, max_size=len(columns) + 1)
    header = st.sampled_from([columns, columns[:-1], (*columns, "more"), (*columns[1:], columns[0]), (), columns * 2])
    table = st.builds(lambda names, rows: encoded([names], rows), header, st.lists(row, max_size=3))
    cut = st.builds(lambda text, end: text[: len(text) - end], table, st.integers(0, 9))
    return st.one_of(cut, cut, st.binary(max_size=60))


@BOUNDED
@given(runs=damaged(COLUMNS), other=damaged(CURVE_COLUMNS), packed=st.binary(max_size=60))
def test_a_damaged_table_is_read_or_refused_in_one_sentence(runs: bytes, other: bytes, packed: bytes) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "runs.csv").write_bytes(runs)
        (folder / "curves.csv").write_bytes(other)
        (folder / "curves.csv.gz").write_bytes(packed)
        for reader in (
            lambda: read(folder / "runs.csv"),
            lambda: list(overview(folder)),
            lambda: load(folder),
            lambda: curves(folder),
            lambda: repair(folder / "runs.csv", COLUMNS),
        ):
            with suppress(UsageError):
                reader()
