"""Folders of results that are merged: keys decide, and nothing is overwritten."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.records.schema import CURVE_COLUMNS, INFERENCE_COLUMNS, LAYER_COLUMNS, Row, Status
from benchmark.records.table import append, read
from benchmark.sweep.merge import merge
from tests.builders import run, sparsefront, write

A, B, C = (run("snip", 0.1, seed, 100, 80, 80 + seed) for seed in range(3))


def folder(path: Path, rows: list[Row]) -> Path:
    """Write rows, and a layer for each that names the folder."""
    path.mkdir()
    append(path / "layers.csv", LAYER_COLUMNS, [(row.key, path.name, 1, 2) for row in rows])
    return write(path, rows)


def merged(path: Path) -> list[tuple[str, str]]:
    """Return seed and layer of every run of a folder."""
    layers = {row["key"]: row["layer"] for row in read(path / "layers.csv", LAYER_COLUMNS)}
    return [(row["seed"], layers[row["key"]]) for row in read(path / "runs.csv")]


def test_a_run_that_two_folders_hold_is_taken_from_the_first(tmp_path: Path) -> None:
    both = [folder(tmp_path / "a", [A, B]), folder(tmp_path / "b", [B, C])]
    before = {path: path.read_bytes() for each in both for path in each.iterdir()}
    found = merge(both, tmp_path / "new" / "c")
    assert merged(tmp_path / "new" / "c") == [("0", "a"), ("1", "a"), ("2", "b")]
    assert (list(found.runs.values()), found.conflicts) == ([2, 1], [])
    assert {path: path.read_bytes() for each in both for path in each.iterdir()} == before
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["c"]


def test_the_latest_row_comes_last_since_it_counts(tmp_path: Path) -> None:
    late, early = (run("a", 0.1, 0, 100, 80, 80, key=time, finished_at=time) for time in ("2026-02", "2026-01"))
    merge([folder(tmp_path / "a", [late]), folder(tmp_path / "b", [early])], tmp_path / "c")
    assert [row["key"] for row in read(tmp_path / "c" / "runs.csv")] == ["2026-01", "2026-02"]


def test_another_result_of_one_key_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = run("snip", 0.1, 0, 100, 80, 79.5)
    both = [str(folder(tmp_path / "a", [A])), str(folder(tmp_path / "b", [other]))]
    assert sparsefront(monkeypatch, "merge", *both, "--output", str(tmp_path / "c")) == 0
    shown = " ".join(capsys.readouterr().out.split())
    first = f"toy snip 0.1 seed 0 ({A.key}): ok with test_accuracy 80 in {both[0]}"
    assert f"{first}, which is kept, ok with 79.5 in {both[1]}" in shown
    assert "1 runs, 1 differ" in shown


def test_a_finished_run_replaces_one_that_failed_elsewhere(tmp_path: Path) -> None:
    lost = run("snip", 0.1, 0, 100, None, None, status=Status.MEMORY)
    found = merge([folder(tmp_path / "a", [lost]), folder(tmp_path / "b", [A])], tmp_path / "c")
    assert (merged(tmp_path / "c"), found.conflicts) == ([("0", "b")], [])
    assert merge([tmp_path / "b", tmp_path / "a"], tmp_path / "d").conflicts == []


def test_packed_curves_and_invocations_come_along(tmp_path: Path) -> None:
    both = [folder(tmp_path / "a", [A]), folder(tmp_path / "b", [B])]
    for each, row in zip(both, (A, B), strict=True):
        text = f"{','.join(CURVE_COLUMNS)}\n{row.key},1,val_loss,0.5\n"
        (each / "curves.csv.gz").write_bytes(gzip.compress(text.encode()))
        (each / "invocations").mkdir()
        (each / "invocations" / "1.json").write_text(each.name)
    merge(both, tmp_path / "c")
    assert [row["key"] for row in read(tmp_path / "c" / "curves.csv", CURVE_COLUMNS)] == [A.key, B.key]
    assert {path.read_text() for path in (tmp_path / "c" / "invocations").iterdir()} == {"a", "b"}


def test_timings_come_along_with_the_runs_that_a_folder_gives(tmp_path: Path) -> None:
    both = [folder(tmp_path / "a", [A, B]), folder(tmp_path / "b", [B, C])]
    for each, rows in zip(both, ([A, B], [B, C]), strict=True):
        lines = [[row.key, *[each.name] * (len(INFERENCE_COLUMNS) - 1)] for row in rows]
        append(each / "inference.csv", INFERENCE_COLUMNS, lines)
    merge(both, tmp_path / "c")
    timed = [(row["key"], row["form"]) for row in read(tmp_path / "c" / "inference.csv", INFERENCE_COLUMNS)]
    assert timed == [(A.key, "a"), (B.key, "a"), (C.key, "b")]


def test_kept_networks_come_along_with_their_rows(tmp_path: Path) -> None:
    both = [folder(tmp_path / "a", [A, B]), folder(tmp_path / "b", [B, C])]
    for each, row in ((both[0], A), (both[1], B), (both[1], C)):
        (each / "networks").mkdir(exist_ok=True)
        (each / "networks" / f"{row.key}.safetensors").write_text(each.name)
    merge(both, tmp_path / "c")
    kept = {path.stem: path.read_text() for path in (tmp_path / "c" / "networks").iterdir()}
    assert kept == {A.key: "a", C.key: "b"}  # the row of B is that of a folder without its network


@pytest.mark.parametrize("fault", ["full", "inside", "budget", "empty", "one", "damaged"])
def test_what_cannot_be_merged_is_one_sentence_and_writes_nothing(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = run("snip", 0.1, 1, 100, 80, 80, epochs=10) if fault == "budget" else B
    both = [folder(tmp_path / "a", [A]), folder(tmp_path / "b", [other])]
    output = tmp_path / "c"
    if fault == "full":
        output = both[0]
    if fault == "inside":
        (tmp_path / "b" / "here").symlink_to(tmp_path / "a")
        output = tmp_path / "b" / "here" / "networks"
    if fault == "empty":
        (both[1] / "runs.csv").unlink()
    if fault == "one":
        both[1] = both[0]
    if fault == "damaged":
        (both[1] / "curves.csv.gz").write_bytes(
            gzip.compress(",".join(CURVE_COLUMNS).encode() + b"\n")[:-8] + b"12345678"
        )
    assert sparsefront(monkeypatch, "merge", *map(str, both), "--output", str(output)) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ") and shown.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    assert not list(tmp_path.rglob("networks"))


def test_the_output_may_be_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    merge([folder(tmp_path / "a", [A]), folder(tmp_path / "b", [B])], tmp_path / "c")
    assert len(merged(tmp_path / "c")) == 2
    with pytest.raises(UsageError, match="is not empty"):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "c")


def test_a_number_that_a_spreadsheet_has_shortened_is_the_same(tmp_path: Path) -> None:
    full, short = (run("snip", 0.1, 0, 100, number, 80) for number in (98.44961240310077, 98.4496124031008))
    assert merge([folder(tmp_path / "a", [full]), folder(tmp_path / "b", [short])], tmp_path / "c").conflicts == []
