import gzip
import math
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import UsageError
from benchmark.records.schema import COLUMNS, CURVE_COLUMNS, THRESHOLD_COLUMNS
from benchmark.records.table import append
from plots.report import report
from plots.results import curves, load, measured, option
from plots.summaries import budgets, failed, seeds, summary, thresholds
from tests.builders import GOLDEN, pair, run, write


def test_numbers_are_numbers_and_missing_ones_are_nan(tmp_path: Path) -> None:
    frame = load(write(tmp_path))
    assert tuple(frame.columns) == (*COLUMNS, "stale")
    assert len(frame) == len(GOLDEN)
    assert frame["epochs"].tolist() == [40] * len(GOLDEN)
    assert frame["test_accuracy"].isna().sum() == 2
    assert frame["error"].tolist() == [""] * len(GOLDEN)
    assert frame["depth"].isna().all()


def test_infinite_cells_are_infinite(tmp_path: Path) -> None:
    frame = load(write(tmp_path, [run("snip", 0.1, 0, 100, 80, 80, train_loss=math.inf, macs_sparse=None)]))
    assert frame["train_loss"].tolist() == [math.inf]


def test_a_run_tried_again_counts_once_with_its_last_row(tmp_path: Path) -> None:
    first = run("snip", 0.1, 0, 100, None, None)
    frame = load(write(tmp_path, [first, run("snip", 0.1, 1, 100, 70, 70), run("snip", 0.1, 0, 100, 80, 81)]))
    assert frame["seed"].tolist() == [1, 0]
    assert frame["test_accuracy"].tolist() == [70, 81]
    assert failed(frame) == 0


def test_summary_by_hand(tmp_path: Path) -> None:
    table = summary(load(write(tmp_path)))
    lines: dict[tuple[str, float], dict[Any, Any]] = {
        (line["method"], line["value"]): line for line in table.to_dict("records")
    }
    assert len(lines) == 8  # the only run of random diverged, so random has no line
    assert lines["dense", 1]["val_mean"] == 91
    assert lines["dense", 1]["test_std"] == pytest.approx(math.sqrt(2))  # n - 1
    spread = lines["dwf[depth=3]", 1]
    assert spread["density"] == pytest.approx(0.2)
    assert spread["compression"] == pytest.approx(5)
    assert (spread["compression_min"], spread["compression_max"]) == pytest.approx((10 / 3, 10))
    assert lines["dwf[depth=3]", 5]["compression"] == math.inf
    alone = lines["snip", 0.01]
    assert (alone["n"], alone["failed"], alone["test_mean"]) == (1, 1, 52)
    assert math.isnan(alone["test_std"])
    assert table["failed"].sum() == 1


@pytest.mark.parametrize(("val", "status"), [(math.nan, "ok"), (None, "ok"), (99, "diverged"), (99, "timeout")])
def test_neither_a_missing_accuracy_nor_a_failed_run_is_measured(
    tmp_path: Path, val: float | None, status: str
) -> None:
    rows = [run("snip", 0.1, 0, 100, 80, 80), run("snip", 0.1, 1, 100, val, 99, status=status)]
    frame = load(write(tmp_path, rows))
    assert measured(frame)["seed"].tolist() == [0]
    assert failed(frame) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "columns"),
        ("a,b\n1,2\n", "unknown: a, b"),
        (",".join(COLUMNS) + "\n", "no run with status ok"),
        (",".join(COLUMNS) + "\nabc,made-up,to", "torn"),
    ],
)
def test_what_is_no_whole_table_of_runs_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "runs.csv").write_text(text)
    with pytest.raises(UsageError, match=says):
        load(tmp_path)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"runs\.csv"):
        load(tmp_path)


def test_a_word_in_a_column_of_numbers_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [run("snip", 0.1, 0, 100, 80, 80, epochs="many")])
    with pytest.raises(UsageError, match="no number in column epochs"):
        load(tmp_path)


def test_only_failed_runs_are_refused(tmp_path: Path) -> None:
    write(tmp_path, [run("snip", 0.1, 0, 100, None, None)])
    with pytest.raises(UsageError, match="no run with status ok"):
        load(tmp_path)


def test_seeds_under_two_settings_are_refused_rather_than_averaged(tmp_path: Path) -> None:
    again = run("snip", 0.1, 1, 100, 70, 70, key="other", learning_rate=0.2)
    write(tmp_path, [*pair("snip", 0.1, 100, (80, 80), (80, 80)), again])
    with pytest.raises(UsageError, match=r"snip at 0\.1 on toy with learning_rate different from seed to seed"):
        load(tmp_path)
    # Once every seed was run with the new recipe, the old rows are history.
    append(tmp_path / "runs.csv", COLUMNS, [astuple(run("snip", 0.1, 0, 100, 60, 60, key="o", learning_rate=0.2))])
    assert load(tmp_path)["test_accuracy"].tolist() == [70, 60]


def test_curves_read_the_packed_part_first_and_keep_the_last_of_each(tmp_path: Path) -> None:
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


def test_foreign_and_torn_curves_are_refused(tmp_path: Path) -> None:
    (tmp_path / "curves.csv").write_text(",".join(CURVE_COLUMNS) + "\nb,1,lo")
    with pytest.raises(UsageError, match="torn"):
        curves(tmp_path)
    (tmp_path / "curves.csv.gz").write_bytes(gzip.compress(b"x,y\n1,2\n"))
    with pytest.raises(UsageError, match="columns"):
        curves(tmp_path)


@pytest.mark.parametrize(
    ("threshold", "text"),
    [(None, ""), (0, ""), (1.19e-7, ""), (1e-4, "counted as zero: |w| < 0.0001")],
)
def test_a_threshold_that_is_not_the_default_is_named(tmp_path: Path, threshold: float | None, text: str) -> None:
    assert thresholds(load(write(tmp_path, [run("snip", 0.1, 0, 100, 80, 80, threshold=threshold)]))) == text


def test_two_thresholds_are_named_in_one_sentence(tmp_path: Path) -> None:
    rows = [run("snip", value, 0, 100, 80, 80, threshold=value) for value in (1e-3, 1e-4)]
    assert thresholds(load(write(tmp_path, rows))) == "counted as zero: |w| < 0.0001 or 0.001"


def test_an_option_of_the_method_itself_is_read_from_the_options_column(tmp_path: Path) -> None:
    cells = ["kind=a,mask=dwf[depth=3,inner=x[kind=c]],depth=1", "depth=2", ""]
    frame = load(
        write(tmp_path, [run("snip", place, 0, 100, 80, 80, options=cell) for place, cell in enumerate(cells)])
    )
    assert option(frame, "depth").fillna("none").tolist() == ["1", "2", "none"]
    assert option(frame, "kind").fillna("none").tolist() == ["a", "none", "none"]
    assert option(frame, "inner").isna().all()


def test_seeds_are_counted_in_words(tmp_path: Path) -> None:
    lines = summary(load(write(tmp_path)))
    assert seeds(lines) == "1 to 2 seeds"
    assert seeds(lines[lines["n"] == 1]) == "1 seed"
    assert seeds(lines[lines["n"] == 2]) == "2 seeds"


def with_thresholds(folder: Path) -> Path:
    """Write a dense run, a mask run, and a penalty run that is measured at two thresholds."""
    penalty = run("dwf[depth=3]", 5, 0, 500, 91, 92, threshold=1.19e-7, knob="strength", penalty=0.1)
    rows = [run("dense", 1, 0, 1000, 90, 91), run("snip", 0.1, 0, 100, 80, 81), penalty]
    append(folder / "runs.csv", COLUMNS, [astuple(row) for row in rows])
    counts = [(penalty.key, 1.19e-7, 500, 0.5, 91, 92), (penalty.key, 1e-4, 20, 0.02, 85, 86)]
    append(folder / "thresholds.csv", THRESHOLD_COLUMNS, counts)
    return folder


def test_a_threshold_recounts_penalty_runs_and_leaves_masks_alone(tmp_path: Path) -> None:
    frame = load(with_thresholds(tmp_path), threshold=1e-4).set_index("method")
    assert frame["nonzeros"].to_dict() == {"dense": 1000, "snip": 100, "dwf[depth=3]": 20}
    assert frame["compression"].to_dict() == {"dense": 1, "snip": 10, "dwf[depth=3]": 50}
    assert frame["test_accuracy"].to_dict() == {"dense": 91, "snip": 81, "dwf[depth=3]": 86}
    assert thresholds(frame.reset_index()) == "counted as zero: |w| < 0.0001"
    untouched = load(tmp_path).set_index("method")
    assert untouched.loc["dwf[depth=3]", "nonzeros"] == 500 and thresholds(untouched.reset_index()) == ""


def test_a_threshold_that_was_not_measured_is_refused_with_those_that_were(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"thresholds are 1\.19e-07, 0\.0001"):
        load(with_thresholds(tmp_path), threshold=1e-3)
    late = run("dwf[depth=4]", 5, 0, 500, 91, 92, knob="strength", penalty=0.1)
    append(tmp_path / "runs.csv", COLUMNS, [astuple(late)])
    with pytest.raises(UsageError, match="for 1 runs"):
        load(tmp_path, threshold=1e-4)


def test_the_threshold_is_in_the_file_names_and_on_the_figure(tmp_path: Path) -> None:
    paths = report(with_thresholds(tmp_path), threshold=1e-4).paths
    assert [path.name for path in paths] == [
        "front-toy-threshold-0.0001.png",
        "front-toy-threshold-0.0001.svg",
        "leaderboard-threshold-0.0001.md",
    ]
    assert "Counted as zero: |w| < 0.0001" in paths[2].read_text()
    assert "counted as zero: |w| &lt; 0.0001" in paths[1].read_text()


def test_small_dense_networks_are_a_method_counted_against_the_full_one(tmp_path: Path) -> None:
    small = {"task": "toy[width=0.5]", "base_task": "toy", "width": 0.5, "knob": "none", "prunable": 300}
    rows = [run("dense", 1, 0, 1000, 90, 91), run("dense", 1, 0, 300, 80, 81, key="small", **small)]
    line = load(write(tmp_path, rows)).set_index("method").loc["narrow"]
    assert (line["task"], line["knob"], line["value"]) == ("toy", "width", 0.5)
    assert (line["density"], line["compression"], line["prunable"]) == (0.3, pytest.approx(1 / 0.3), 1000)


def test_a_small_network_alone_is_its_own_task(tmp_path: Path) -> None:
    rows = [run("dense", 1, 0, 300, 80, 81, task="toy[width=0.5]", prunable=300)]
    assert list(load(write(tmp_path, rows))["task"]) == ["toy[width=0.5]"]


def test_who_took_more_steps_is_told(tmp_path: Path) -> None:
    rows = [run("dense", 1, 0, 1000, 90, 91), run("imp[rounds=3]", 0.1, 0, 100, 90, 91, steps=400)]
    assert budgets(load(write(tmp_path, rows))) == "imp[rounds=3] took 4 times the steps"
    (same := tmp_path / "same").mkdir()
    assert budgets(load(write(same))) == ""
