"""Rows: written, read, repaired, compressed, and their keys."""

from __future__ import annotations

import gzip
import os
from dataclasses import fields, replace
from pathlib import Path

import pandas
import pytest

from benchmark.data.augmentation import Augmentation
from benchmark.errors import UsageError
from benchmark.experiments.run import Run
from benchmark.records.schema import COLUMNS, Row
from benchmark.records.table import append, compress, read, repair
from methods.core.optimizers import Adam

TWO = ("name", "number")


def test_rows_come_back_as_they_went(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    append(path, TWO, [("dwf[depth=3,init=ones]", 0.123456789)])
    append(path, TWO, [('a "quoted" word', None), ("two\nlines", float("inf"))])
    assert read(path, TWO) == [
        {"name": "dwf[depth=3,init=ones]", "number": "0.123456789"},
        {"name": 'a "quoted" word', "number": ""},
        {"name": "two lines", "number": "inf"},
    ]
    assert path.read_text().count("name,number") == 1


def test_the_schema_is_the_dataclass() -> None:
    assert tuple(field.name for field in fields(Row)) == COLUMNS
    assert len(set(COLUMNS)) == len(COLUMNS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "missing: name, number"),
        (b"name,numbr\na,1\n", "unknown: numbr; missing: number"),
        (b"name,number\na,1\nb,", "torn"),
        (b"name,number\nb\na,1\n", "torn"),
        (b"name,number\na,1\nb,2", "torn"),
        (b"\xff\xfe\x00name", "not text"),
    ],
)
def test_what_is_no_whole_table_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"some\.csv") as refused:
        read(path, TWO)
    assert said in str(refused.value)
    assert path.read_bytes() == content


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no"):
        read(tmp_path / "runs.csv")


def test_repair_sets_a_torn_line_aside_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    append(path, TWO, [("a", 1), ("b", 2)])
    whole = path.read_bytes()
    assert repair(path) is None and path.read_bytes() == whole
    path.write_bytes(whole + b"c,0.00")
    assert "runs.csv" in (repair(path) or "")
    assert path.read_bytes() == whole
    assert (tmp_path / "runs.csv.torn").read_text() == "c,0.00\n"
    append(path, TWO, [("c", 3)])
    assert [row["name"] for row in read(path, TWO)] == ["a", "b", "c"]


def test_repair_sets_aside_short_lines_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text('name,number\n"a,b",1\nb\n\nc,3\n')
    assert "1 torn lines" in (repair(path) or "")
    assert [row["name"] for row in read(path, TWO)] == ["a,b", "c"]
    assert (tmp_path / "runs.csv.torn").read_text() == "b\n"


def test_a_torn_header_leaves_no_table(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("name,num")
    assert repair(path)
    assert not path.exists()


def test_long_curves_move_into_one_growing_archive(tmp_path: Path) -> None:
    path, packed = tmp_path / "curves.csv", tmp_path / "curves.csv.gz"
    before = b""
    for batch in range(3):
        append(path, TWO, [(f"run{batch}-{i}", i) for i in range(10)])
        compress(path, above=10)
        assert not path.exists()
        assert packed.read_bytes().startswith(before)  # what was packed before is not packed again
        before = packed.read_bytes()
    lines = gzip.decompress(before).decode().splitlines()
    assert lines[0] == "name,number" and len(lines) == 31 and lines[-1] == "run2-9,9"
    frame = pandas.read_csv(packed)
    assert list(frame.columns) == ["name", "number"] and list(frame["number"]) == 3 * list(range(10))
    append(path, TWO, [("short", 1)])
    compress(path)
    assert path.exists()


def test_an_interrupted_compression_leaves_every_row_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, packed = tmp_path / "curves.csv", tmp_path / "curves.csv.gz"
    append(path, TWO, [("a", 1)])
    compress(path, above=0)
    before = packed.read_bytes()
    append(path, TWO, [("b", 2)])

    def stopped(source: Path, target: Path) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stopped)
        with pytest.raises(OSError, match="no space"):
            compress(path, above=0)
    assert packed.read_bytes() == before and path.exists()
    compress(path, above=0)  # the remains of the first try are overwritten
    assert gzip.decompress(packed.read_bytes()).decode() == "name,number\na,1\nb,2\n"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["curves.csv.gz"]


def test_an_append_is_on_disk_before_it_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    append(tmp_path / "some.csv", TWO, [("a", 1)])
    assert synced == [len("name,number\na,1\n")]


GOLDEN = Run("lenet300-digits", "dwf[depth=3]", 6.0, 0, 40, 0.2)


def test_keys_of_old_runs_never_change() -> None:
    """Should this fail, every finished run of every user would be computed again."""
    assert GOLDEN.key == "8b247ae1144b"
    assert Run("lenet300-digits", "snip", 0.1, 2, 40, 0.1, precision="bf16").key == "8d1170d56818"


def test_whatever_is_computed_differently_has_another_key() -> None:
    changes = {"task": "lenet300-mnist", "method": "snip", "value": 6.5, "seed": 1, "epochs": 41, "learning_rate": 0.3}
    others = [replace(GOLDEN, **{name: value}) for name, value in changes.items()]  # type: ignore[arg-type]
    others += [replace(GOLDEN, precision="bf16"), replace(GOLDEN, synthetic=True)]
    assert len({run.key for run in [GOLDEN, *others]}) == 9


def test_another_recipe_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.tasks.registry import TASKS, get_task

    before, task = GOLDEN.key, get_task("lenet300-digits")
    for change in (
        {"batch_size": 32},
        {"weight_decay": 0.0},
        {"warmup": 0.1},
        {"optimizer": Adam()},
        {"version": 2},
        {"augmentation": Augmentation()},
    ):
        monkeypatch.setitem(TASKS, "lenet300-digits", lambda change=change: replace(task, **change))
        assert GOLDEN.key != before
    monkeypatch.setitem(TASKS, "lenet300-digits", lambda: replace(task, learning_rate=0.15))
    assert GOLDEN.key != before  # biases learn at no more than the recipe's own rate
    slow = replace(GOLDEN, learning_rate=0.05)
    now = slow.key
    monkeypatch.setitem(TASKS, "lenet300-digits", lambda: task)
    assert slow.key == now
    monkeypatch.setitem(TASKS, "lenet300-digits", lambda: replace(task, learning_rates={}, epochs=7))
    assert GOLDEN.key == before  # the run itself says its rate and its epochs


def test_a_new_version_of_a_method_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    from methods.core.registry import METHODS

    before = GOLDEN.key
    monkeypatch.setattr(METHODS["dwf"], "version", 2)
    assert GOLDEN.key != before
