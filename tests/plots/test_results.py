"""Loading the results of an experiment, and the faults that loading reports."""

from __future__ import annotations

import gzip
import math
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from benchmark.errors import UsageError
from benchmark.records.bits import encode
from benchmark.records.repair import compress
from benchmark.records.schema import COLUMNS, CORRECT_COLUMNS, CURVE_COLUMNS, THRESHOLD_COLUMNS
from benchmark.records.table import append
from plots import tables
from plots.answers import correct
from plots.results import NUMBERS, VALUE, curves, load, measured, option
from plots.summaries import failed, thresholds
from tests.builders import GOLDEN, pair, run, write


def test_columns_have_types_and_missing_numbers_are_nan(tmp_path: Path) -> None:
    frame = load(write(tmp_path))
    assert tuple(frame.columns) == (*COLUMNS, "stale", "counted", "file_compression", "measured_speedup")
    assert len(frame) == len(GOLDEN)
    assert frame["epochs"].tolist() == [40] * len(GOLDEN)
    assert frame["test_accuracy"].isna().sum() == 2
    assert frame["error"].tolist() == [""] * len(GOLDEN)
    assert frame["depth"].isna().all()


def test_both_ways_of_reading_give_the_same_table(tmp_path: Path) -> None:
    rows = [run("snip", 0.1, 0, 100, 80, 80, train_loss=1 / 3, options='a="x,y"', error="nan")]
    rows.append(run("dense", 1, 1, 1, 1, 2))
    path = write(tmp_path, rows) / "runs.csv"
    fast = tables._read_fast(path, COLUMNS, NUMBERS, COLUMNS)
    assert fast is not None
    pandas.testing.assert_frame_equal(fast, tables.with_numbers(tables._read(path, COLUMNS, COLUMNS), NUMBERS, path))
    regular = path.read_text()
    header = regular.partition("\n")[0]
    for fault in ("a,b\n", f"{header}\n", "torn", header.replace("value", "epoch") + "\n"):
        path.write_text(regular + fault)
        assert tables._read_fast(path, COLUMNS, NUMBERS, COLUMNS) is None


def test_infinite_cells_are_infinite(tmp_path: Path) -> None:
    frame = load(write(tmp_path, [run("snip", 0.1, 0, 100, 80, 80, train_loss=math.inf, macs_sparse=None)]))
    assert frame["train_loss"].tolist() == [math.inf]


def test_the_last_row_of_a_repeated_run_counts(tmp_path: Path) -> None:
    first = run("snip", 0.1, 0, 100, None, None)
    frame = load(write(tmp_path, [first, run("snip", 0.1, 1, 100, 70, 70), run("snip", 0.1, 0, 100, 80, 81)]))
    assert frame["seed"].tolist() == [1, 0]
    assert frame["test_accuracy"].tolist() == [70, 81]
    assert failed(frame) == 0


@pytest.mark.parametrize(("val", "status"), [(math.nan, "ok"), (None, "ok"), (99, "diverged"), (99, "timeout")])
def test_runs_that_failed_or_have_no_accuracy_are_left_out(tmp_path: Path, val: float | None, status: str) -> None:
    rows = [run("snip", 0.1, 0, 100, 80, 80), run("snip", 0.1, 1, 100, val, 99, status=status)]
    frame = load(write(tmp_path, rows))
    assert measured(frame)["seed"].tolist() == [0]
    assert failed(frame) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "unknown: a, b"),
        (",".join(COLUMNS) + "\n", "no run with status ok"),
        (",".join(COLUMNS) + "\nabc,made-up,to", "torn"),
    ],
)
def test_an_incomplete_table_of_runs_is_rejected(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "runs.csv").write_text(text)
    with pytest.raises(UsageError, match=says):
        load(tmp_path)


def test_a_missing_table_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"runs\.csv"):
        load(tmp_path)


def test_a_word_in_a_column_of_numbers_is_rejected(tmp_path: Path) -> None:
    write(tmp_path, [run("snip", 0.1, 0, 100, 80, 80, epochs="many")])
    with pytest.raises(UsageError, match="no number in column epochs"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("column", "number"), [("density", -1.0), ("density", 2.0), ("test_accuracy", 1e308), ("val_accuracy", math.inf)]
)
def test_a_number_that_no_run_can_have_is_rejected(column: str, number: float, tmp_path: Path) -> None:
    write(tmp_path, [run("snip", 0.1, 0, 100, 80, 80, key="odd", **{column: number})])
    with pytest.raises(UsageError, match=rf"holds .* as {column} of run odd, which is a number from 0 to 1"):
        load(tmp_path)


def test_a_table_of_failed_runs_is_rejected(tmp_path: Path) -> None:
    write(tmp_path, [run("snip", 0.1, 0, 100, None, None)])
    with pytest.raises(UsageError, match="no run with status ok"):
        load(tmp_path)


def test_seeds_with_different_settings_are_rejected_and_not_averaged(tmp_path: Path) -> None:
    again = run("snip", 0.1, 1, 100, 70, 70, key="other", learning_rate=0.2)
    write(tmp_path, [*pair("snip", 0.1, 100, (80, 80), (80, 80)), again])
    with pytest.raises(UsageError, match=r"snip at 0\.1 on toy with learning_rate different from seed to seed"):
        load(tmp_path)
    # Once every seed was run with the new recipe, the old rows are history.
    append(tmp_path / "runs.csv", COLUMNS, [astuple(run("snip", 0.1, 0, 100, 60, 60, key="o", learning_rate=0.2))])
    assert load(tmp_path)["test_accuracy"].tolist() == [70, 60]


def test_curves_join_the_archive_and_the_file_and_keep_the_last_of_each_point(tmp_path: Path) -> None:
    assert curves(tmp_path).empty
    append(tmp_path / "curves.csv", CURVE_COLUMNS, [("a", 1, "loss", 0.5), ("a", 2, "loss", 0.25)])
    assert curves(tmp_path)["value"].tolist() == [0.5, 0.25]
    packed = ",".join(CURVE_COLUMNS) + "\nb,1,loss,3\na,1,loss,9\n"
    (tmp_path / "curves.csv.gz").write_bytes(gzip.compress(packed.encode()))
    table = curves(tmp_path)
    assert tuple(table.columns) == CURVE_COLUMNS
    assert list(table.itertuples(index=False, name=None)) == [
        ("b", 1, "loss", 3.0),
        ("a", 1, "loss", 0.5),
        ("a", 2, "loss", 0.25),
    ]


def test_foreign_and_torn_curves_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "curves.csv").write_text(",".join(CURVE_COLUMNS) + "\nb,1,lo")
    with pytest.raises(UsageError, match="torn"):
        curves(tmp_path)
    (tmp_path / "curves.csv.gz").write_bytes(gzip.compress(b"x,y\n1,2\n", mtime=0))
    with pytest.raises(UsageError, match="columns"):
        curves(tmp_path)


def test_the_bits_of_test_examples_come_back_as_they_were_written(tmp_path: Path) -> None:
    assert correct(tmp_path) == {}
    draws = numpy.random.default_rng(0).random((3, 10_001)) < 0.9
    rows = [(key, draws.shape[1], encode(row)) for key, row in zip("abc", draws, strict=True)]
    assert len(rows[0][2]) == 1668  # 1.25 kB, as base64
    append(tmp_path / "correct.csv", CORRECT_COLUMNS, [("b", *rows[0][1:]), rows[1]])
    compress(tmp_path / "correct.csv", above=0)
    append(tmp_path / "correct.csv", CORRECT_COLUMNS, [rows[0], rows[2]])
    assert {key: row.tolist() for key, row in correct(tmp_path).items()} == dict(
        zip("abc", draws.tolist(), strict=True)
    )
    assert correct(tmp_path).accuracy("b") == pytest.approx(100 * draws[1].mean())
    append(tmp_path / "correct.csv", CORRECT_COLUMNS, [("a", 10_009, rows[0][2])])
    with pytest.raises(UsageError, match=r"correct\.csv holds a damaged cell"):
        correct(tmp_path)


def test_an_option_of_the_method_itself_is_read_from_the_options_column(tmp_path: Path) -> None:
    cells = ["kind=a,mask=dwf[depth=3,inner=x[kind=c]],depth=1", "depth=2", ""]
    frame = load(
        write(tmp_path, [run("snip", place, 0, 100, 80, 80, options=cell) for place, cell in enumerate(cells)])
    )
    assert option(frame, "depth").fillna("none").tolist() == ["1", "2", "none"]
    assert option(frame, "kind").fillna("none").tolist() == ["a", "none", "none"]
    assert option(frame, "inner").isna().all()


def with_thresholds(folder: Path) -> Path:
    """Write a dense run, a mask run, and a penalty run that is measured at two thresholds."""
    penalty = run("dwf[depth=3]", 5, 0, 500, 91, 92, threshold=1.19e-7, knob="strength", penalty=0.1)
    rows = [run("dense", 1, 0, 1000, 90, 91), run("snip", 0.1, 0, 100, 80, 81), penalty]
    append(folder / "runs.csv", COLUMNS, [astuple(row) for row in rows])
    counts = [(penalty.key, 1.19e-7, 500, 0.5, 91, 92), (penalty.key, 1e-4, 20, 0.02, 85, 86)]
    append(folder / "thresholds.csv", THRESHOLD_COLUMNS[:6], counts)  # as an older version wrote it
    return folder


def test_a_threshold_recounts_penalty_runs_and_leaves_masks_alone(tmp_path: Path) -> None:
    frame = load(with_thresholds(tmp_path), threshold=1e-4).set_index("method")
    assert frame["nonzeros"].to_dict() == {"dense": 1000, "snip": 100, "dwf[depth=3]": 20}
    assert frame["compression"].to_dict() == {"dense": 1, "snip": 10, "dwf[depth=3]": 50}
    assert frame["test_accuracy"].to_dict() == {"dense": 91, "snip": 81, "dwf[depth=3]": 86}
    assert thresholds(frame.reset_index()) == "zero: |w| < 0.0001"
    untouched = load(tmp_path).set_index("method")
    assert untouched.loc["dwf[depth=3]", "nonzeros"] == 500 and thresholds(untouched.reset_index()) == ""


def test_a_threshold_without_measurements_is_rejected_with_the_valid_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"thresholds are 1\.19e-07, 0\.0001"):
        load(with_thresholds(tmp_path), threshold=1e-3)
    late = run("dwf[depth=4]", 5, 0, 500, 91, 92, knob="strength", penalty=0.1)
    append(tmp_path / "runs.csv", COLUMNS, [astuple(late)])
    with pytest.raises(UsageError, match="for 1 runs"):
        load(tmp_path, threshold=1e-4)


def test_small_dense_networks_are_a_method_counted_against_the_full_one(tmp_path: Path) -> None:
    small = {"task": "toy[width=0.5]", "base_task": "toy", "width": 0.5, "knob": "none", "prunable": 300}
    rows = [run("dense", 1, 0, 1000, 90, 91), run("dense", 1, 0, 300, 80, 81, key="small", **small)]
    line = load(write(tmp_path, rows)).set_index("method").loc["narrow"]
    assert (line["task"], line["knob"], line["value"]) == ("toy", "width", 0.5)
    assert (line["density"], line["compression"], line["prunable"]) == (0.3, pytest.approx(1 / 0.3), 1000)


def test_a_small_network_alone_is_its_own_task(tmp_path: Path) -> None:
    rows = [run("dense", 1, 0, 300, 80, 81, task="toy[width=0.5]", prunable=300)]
    assert list(load(write(tmp_path, rows))["task"]) == ["toy[width=0.5]"]


@pytest.mark.parametrize(
    "content",
    [
        b"hello",
        b"",
        b"\x1f\x8b\x08\x00" + b"x" * 50,
        gzip.compress(b"key,epoch,metric,value\n" + bytes(range(256)) * 9, mtime=0)[:60],
        gzip.compress(b"", mtime=0),
        gzip.compress(bytes(range(256)), mtime=0),
    ],
)
def test_a_damaged_archive_of_curves_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "curves.csv.gz").write_bytes(content)
    with pytest.raises(UsageError, match=r"curves.csv.gz is damaged or no packed CSV \(.*\); restore it"):
        curves(tmp_path)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"value": None}, "holds no value of run snip"),
        ({"seed": None}, "holds no seed of run snip"),
        ({"status": "done"}, "holds 'done' as status of run snip.*statuses are ok, diverged"),
    ],
)
def test_a_row_that_no_run_writes_is_rejected(cells: dict[str, Any], said: str, tmp_path: Path) -> None:
    rows = [run("dense", 1, 0, 1, 90, 90), replace(run("snip", 0.1, 0, 100, 80, 80, key="snip"), **cells)]
    with pytest.raises(UsageError, match=said):
        load(write(tmp_path, rows))


def test_missing_numbers_of_other_programs_are_nan(tmp_path: Path) -> None:
    path = write(tmp_path, [run("snip", 0.1, seed, 100, 80, 80) for seed in range(2)]) / "runs.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()]
    for row, missing in zip(rows[1:], ("NaN", "NA"), strict=True):
        row[COLUMNS.index("test_accuracy")] = missing
    path.write_text("".join(",".join(row) + "\r\n" for row in rows))
    with pytest.raises(UsageError, match="no run with status ok"):
        load(tmp_path)


def test_the_home_folder_may_be_written_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(load(write(tmp_path), point=list(VALUE))) == len(load("~"))


def test_a_threshold_that_is_none_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a threshold is a magnitude, such as 1e-4, or validated, not 'validate'"):
        load(write(tmp_path), threshold="validate")  # type: ignore[arg-type]
