"""Tables of rows: writing, reading, repairing and compressing them."""

from __future__ import annotations

import gzip
import os
from dataclasses import fields
from pathlib import Path

import pandas
import pytest

from benchmark.errors import UsageError
from benchmark.records.repair import compress, is_whole, repair
from benchmark.records.schema import COLUMNS, Row
from benchmark.records.table import append, read
from tests.builders import rows, write

TWO = ("name", "number")


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    append(path, TWO, [("dwf[depth=3,init=ones]", 0.123456789)])
    append(path, TWO, [('a "quoted" word', None), ("two\nlines", float("inf"))])
    assert read(path, TWO) == [
        {"name": "dwf[depth=3,init=ones]", "number": "0.123456789"},
        {"name": 'a "quoted" word', "number": ""},
        {"name": "two lines", "number": "inf"},
    ]
    assert path.read_text().count("name,number") == 1


def test_the_columns_are_the_fields_of_row() -> None:
    assert tuple(field.name for field in fields(Row)) == COLUMNS
    assert len(set(COLUMNS)) == len(COLUMNS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"name,numbr\na,1\n", "unknown: numbr; missing: number"),
        (b"name,number\na,1\nb,", "torn"),
        (b"name,number\nb\na,1\n", "torn"),
        (b"name,number\na,1\nb,2", "torn"),
        (b"\xff\xfe\x00name", "not text"),
    ],
)
def test_incomplete_csv_is_rejected(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"some\.csv") as refused:
        read(path, TWO)
    assert said in str(refused.value)
    assert path.read_bytes() == content


def test_a_missing_table_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no"):
        read(tmp_path / "runs.csv")


def test_repair_sets_a_torn_line_aside_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    append(path, TWO, [("a", 1), ("b", 2)])
    whole = path.read_bytes()
    assert repair(path, TWO) is None and path.read_bytes() == whole
    path.write_bytes(whole + b"c,0.00")
    assert "runs.csv" in (repair(path, TWO) or "")
    assert path.read_bytes() == whole
    assert (tmp_path / "runs.csv.torn").read_text() == "c,0.00\n"
    append(path, TWO, [("c", 3)])
    assert [row["name"] for row in read(path, TWO)] == ["a", "b", "c"]


def test_repair_sets_aside_short_lines_anywhere_in_the_table(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text('name,number\n"a,b",1\nb\n\nc,3\n')
    assert "1 torn lines" in (repair(path, TWO) or "")
    assert [row["name"] for row in read(path, TWO)] == ["a,b", "c"]
    assert (tmp_path / "runs.csv.torn").read_text() == "b\n"


@pytest.mark.parametrize(
    ("lines", "whole"),
    [
        ('a,b\n\n"x,y",c\nd,"5"" tall, ""wide"""\n"","x"\n', True),
        ('"x,y"\n', False),  # one cell, with a comma
        ('""\n', False),
        ('a,"b\nc",d\n', False),  # of three cells, in two lines
        ('a,"b\n', False),  # an open quote
        ("a,b\n,", False),  # a torn line
        ("a,b,c\n", False),
    ],
)
def test_cells_are_counted_with_their_quotes(lines: str, whole: bool, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(lines)
    assert is_whole(tmp_path / "x.csv", 2) == whole


def test_a_torn_header_leaves_no_table(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("name,num")
    assert repair(path, TWO)
    assert not path.exists()


def test_long_curves_are_appended_to_one_archive(tmp_path: Path) -> None:
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
    assert synced[0] == len("name,number\na,1\n") and len(synced) == 2  # the file, and the folder that has it now


def test_tables_that_a_spreadsheet_saved_are_read_or_refused_by_their_fault(tmp_path: Path) -> None:
    folder = write(tmp_path)
    path, before = folder / "runs.csv", rows(folder)
    text = path.read_text()
    path.write_text(text.replace("\n", "\r\n"), encoding="utf-8-sig")  # as "CSV UTF-8"
    assert rows(folder) == before
    for separator in (";", "\t"):
        path.write_text(text.replace(",", separator))
        with pytest.raises(UsageError, match="no commas between its cells"):
            rows(folder)
    path.write_bytes(text.encode("utf-16"))
    with pytest.raises(UsageError, match="not text"):
        rows(folder)


def test_a_cell_of_any_length_and_encoding_is_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    append(path, ["a", "b"], [("x" * 300_000, "caf\udce9")])
    assert read(path, ["a", "b"]) == [{"a": "x" * 300_000, "b": "caf\\udce9"}]


@pytest.mark.parametrize(
    "content",
    [
        b"name,number,\na,1,\nb,2,\nc",  # a column that someone added
        b"name,numbr\na,1\nc",
        b"name;number\na;1\nc",
        b"name,number\ncaf\xe9,1\nc",  # another encoding
        "name,number\na,1\nc".encode("utf-16"),
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10,
    ],
)
def test_a_file_that_is_not_ours_is_refused_untouched(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError):
        repair(path, TWO)
    assert path.read_bytes() == content and list(tmp_path.iterdir()) == [path]


def test_repair_keeps_links_and_every_other_byte(tmp_path: Path) -> None:
    real, path = tmp_path / "real.csv", tmp_path / "runs.csv"
    path.symlink_to(real)
    whole = b"\xef\xbb\xbfname,number\r\na\xe2\x80\xa8b,1\r\n"  # as a spreadsheet writes it, with a line separator
    real.write_bytes(whole + b"caf\xc3")  # cut within a character
    assert repair(path, TWO)
    assert path.is_symlink() and real.read_bytes() == whole
    assert (tmp_path / "runs.csv.torn").read_bytes() == b"caf\xc3\n"


def test_torn_lines_are_not_written_where_a_link_leads(tmp_path: Path) -> None:
    path, other = tmp_path / "runs.csv", tmp_path / "other"
    path.write_bytes(b"name,number\na,1\nb")
    other.write_text("not ours")
    (tmp_path / "runs.csv.torn").symlink_to(other)
    with pytest.raises(OSError):
        repair(path, TWO)
    assert path.read_bytes() == b"name,number\na,1\nb" and other.read_text() == "not ours"


def test_a_header_within_a_table_is_named_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("name,number\na,1\nname,number\nb,2\n")  # as `cat` joins two tables
    with pytest.raises(UsageError, match=r"row 3 of .* is its header once more"):
        read(path, TWO)


def test_a_row_with_a_cell_too_many_is_named_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("name,number\na,1\nb,2,3\n")
    for look in (read, repair):
        with pytest.raises(UsageError, match=r"row 3 of .* has more cells than its header"):
            look(path, TWO)
    assert path.read_text() == "name,number\na,1\nb,2,3\n"


@pytest.mark.parametrize("number", [1 / 3, 0.1 * 2**0.5, 1e-7, 1.19e-7, 5e-324, 1e300, 3.0])
def test_a_number_is_read_as_it_was_written(number: float, tmp_path: Path) -> None:
    append(tmp_path / "t.csv", TWO, [("a", number)])
    assert float(read(tmp_path / "t.csv", TWO)[0]["number"]) == number
