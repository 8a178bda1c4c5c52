"""The zero threshold that validation data choose, and tables by effective weights."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import numpy
import pandas
import pytest

from benchmark.errors import UsageError
from benchmark.records.schema import COLUMNS, THRESHOLD_COLUMNS
from benchmark.records.table import append, cell
from plots.leaderboards import footnote, leaderboard
from plots.report import report
from plots.results import load
from plots.summaries import thresholds
from plots.thresholds import parse_threshold, validated
from tests.builders import run, sparsefront, write

STEPS = (1e-7, 1e-4, 1e-3, 1e-2)


def points(key: str, val: tuple[float, ...], errors: tuple[float, ...]) -> pandas.DataFrame:
    rows = [
        (key, threshold, 100 // (i + 1), 0.1 / (i + 1), accuracy, accuracy - 1, error, None, None)
        for i, (threshold, accuracy, error) in enumerate(zip(STEPS, val, errors, strict=True))
    ]
    return pandas.DataFrame(rows, columns=list(THRESHOLD_COLUMNS))


@pytest.mark.parametrize(
    ("val", "errors", "chosen"),
    [
        ((90, 90, 90, 90), (0, 0, 0, 0), 1e-2),
        ((90, 90, 89.9, 89.7), (0, 0, 0.1, 0.2), 1e-3),  # a cost of 0.1 is within its error, one of 0.3 is not
        ((90, 89.9, 90, 89), (0, 0.05, 0.1, 0.1), 1e-3),  # a smaller one that costs something does not matter
        ((90, 91, 92, 90.5), (0, 0.1, 0.1, 0.1), 1e-2),  # the cost is that of the smallest threshold
        ((90, 10, 10, 10), (0, 0.5, 0.5, 0.5), 1e-7),
    ],
)
def test_the_largest_threshold_that_costs_nothing_is_chosen(
    val: tuple[float, ...], errors: tuple[float, ...], chosen: float
) -> None:
    table = pandas.concat([points("b", val, errors), points("a", (90, 80, 80, 80), (0, 1, 1, 1))])
    shuffled = table.sample(frac=1, random_state=0)
    assert validated(shuffled).set_index("key")["threshold"].to_dict() == {"a": 1e-7, "b": chosen}


def test_test_data_choose_nothing() -> None:
    table = points("a", (90, 90, 89.9, 89.7), (0, 0, 0.1, 0.2))
    other = table.assign(test_accuracy=numpy.arange(4.0))
    assert validated(table)["threshold"].tolist() == validated(other)["threshold"].tolist() == [1e-3]


def with_costs(folder: Path) -> Path:
    """Write a dense run, an L1 run with a mask, and two penalty runs at four thresholds."""
    penalties = [run("prox-l1", 1e-3, seed, 100, 90, 89, knob="penalty", penalty=1e-3) for seed in (0, 1)]
    masked = run("l1", 0.1, 0, 100, 80, 81, penalty=1e-4)
    rows = [run("dense", 1, 0, 1000, 90, 91), masked, *penalties]
    append(folder / "runs.csv", COLUMNS, [astuple(row) for row in rows])
    costs = [((90, 90, 89.9, 89.7), (0, 0, 0.1, 0.2)), ((90, 90, 90, 90), (0, 0, 0, 0)), ((90, 90, 90, 90), (0,) * 4)]
    for row, (val, errors) in zip([*penalties, masked], costs, strict=True):
        append(folder / "thresholds.csv", THRESHOLD_COLUMNS, points(row.key, val, errors).to_numpy().tolist())
    return folder


def test_a_validated_threshold_is_each_runs_own_and_leaves_masks_alone(tmp_path: Path) -> None:
    frame = load(with_costs(tmp_path), threshold="validated")
    assert frame["nonzeros"].tolist() == [1000, 100, 33, 25]
    assert frame.loc[2:, "threshold"].tolist() == [1e-3, 1e-2]
    assert frame.loc[2:, "test_accuracy"].tolist() == [88.9, 89]
    assert thresholds(frame) == "zero: |w| < 0.001 to 0.01, chosen on validation data"
    assert "costs no more validation accuracy than the standard error" in footnote(frame)
    paths = [path.name for path in report(tmp_path, "validated").paths]
    assert paths == ["front-toy-threshold-validated.png", "front-toy-threshold-validated.svg",
                     "leaderboard-threshold-validated.md"]  # fmt: skip


def test_rows_of_older_versions_cannot_be_validated(tmp_path: Path) -> None:
    row = run("prox-l1", 1e-3, 0, 100, 90, 89, knob="penalty", penalty=1e-3)
    append(tmp_path / "runs.csv", COLUMNS, [astuple(row)])
    append(tmp_path / "thresholds.csv", THRESHOLD_COLUMNS[:6], [[row.key, 1e-7, 100, 0.1, 90, 89]])
    with pytest.raises(UsageError, match="does not hold what chooses a threshold for 1 runs"):
        load(tmp_path, threshold="validated")


def test_a_threshold_is_a_magnitude_or_validated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (parse_threshold("1e-4"), parse_threshold("validated")) == (1e-4, "validated")
    for text in ("auto", "-1", "nan", "inf"):
        with pytest.raises(UsageError, match=f"a threshold is a magnitude, such as 1e-4, or validated, not '{text}'"):
            parse_threshold(text)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results" / "toy").mkdir(parents=True)
    with_costs(tmp_path / "results" / "toy")
    assert sparsefront(monkeypatch, "report", "toy", "--threshold", "valid") == 2
    assert sparsefront(monkeypatch, "report", "toy", "--threshold", "validated", "--effective") == 2
    assert sorted(path.name for path in (tmp_path / "results" / "toy").iterdir()) == ["runs.csv", "thresholds.csv"]
    assert sparsefront(monkeypatch, "report", "toy", "--threshold", "validated") == 0


def test_tables_by_effective_weights(tmp_path: Path) -> None:
    rows = [
        run("dense", 1, 0, 1000, 90, 91, effective_nonzeros=1000, effective_density=1.0),
        run("snip", 0.2, 0, 200, 89, 90, effective_nonzeros=195, effective_density=0.195),
        run("snip", 0.1, 0, 100, 80, 81, effective_nonzeros=10, effective_density=0.01),
        run("random", 0.1, 0, 100, None, None),  # it diverged, and has no count
    ]
    nominal = load(write(tmp_path, rows))
    assert "more than 5 % of those left: snip from CR 10 on." in footnote(nominal)
    assert leaderboard(nominal).loc["snip", "CR 100"] == "\N{EN DASH}"
    effective = load(tmp_path, effective=True)
    assert effective["compression"].tolist()[:3] == pytest.approx([1, 1000 / 195, 100])
    assert leaderboard(effective).loc["snip", "CR 100"] == "81.00 (1)"
    assert "CR is prunable weights / effective weights" in footnote(effective)
    paths = report(tmp_path, effective=True).paths
    assert [path.name for path in paths] == ["front-toy-effective.png", "front-toy-effective.svg",
                                             "leaderboard-effective.md"]  # fmt: skip
    assert "effective weights" in paths[1].read_text()
    append(tmp_path / "runs.csv", COLUMNS, [[cell(value) for value in astuple(run("snip", 0.1, 1, 9, 80, 81))]])
    with pytest.raises(UsageError, match="holds no effective weights of 1 runs"):
        load(tmp_path, effective=True)
