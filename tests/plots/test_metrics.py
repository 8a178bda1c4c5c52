"""A metric of which less is better goes through tables and figures; scores have a minus sign, and texts do not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas
import pytest
from matplotlib.text import Text

from benchmark.records.schema import CURVE_COLUMNS, INITIAL_COLUMNS, THRESHOLD_COLUMNS, Row
from benchmark.records.table import append
from plots.figures.attainments import attainment
from plots.figures.below_dense import below_dense, points_above_dense
from plots.figures.forest import forest
from plots.figures.fronts import front, members
from plots.figures.profiles import profiles
from plots.leaderboards import footnote, heading, leaderboard
from plots.page.folder import folder_data
from plots.readings import read_at, seed_curves
from plots.report import report
from plots.results import load, traces
from plots.statistics.accuracy import accuracy_table
from plots.statistics.profiles import losses
from plots.summaries import summary
from tests.builders import pair, run, write


def bits(rows: list[Row]) -> list[Row]:
    """Return made-up rows of a task of bits per character, whose accuracies become the metric."""
    return [
        replace(
            row,
            val_accuracy=None,
            test_accuracy=None,
            val_metric=row.val_accuracy,
            test_metric=row.test_accuracy,
            metric="bits per character",
            better="lower",
            chance=5.0,
        )
        for row in rows
    ]


CURVES = ("val_metric", "density", "relative_misalignment", "weight_norm")
ROWS = bits(
    [
        *pair("dense", 1, 1000, (2.0, 2.0), (2.0, 2.0)),
        *pair("gmp", 0.1, 100, (2.1, 2.1), (2.02, 2.04)),
        *pair("gmp", 0.2, 200, (2.2, 2.2), (2.0, 2.0)),  # beaten on validation by the smaller network
        run("gmp", 0.01, 0, 10, 3.0, 3.0),
        run("gmp", 0.01, 1, 10, None, None),
    ]
)


def test_the_front_has_the_lowest_values_and_a_lost_run_counts_as_chance(tmp_path: Path) -> None:
    runs = load(write(tmp_path, ROWS))
    lines = summary(runs)
    assert members(lines[lines["method"] == "gmp"])["value"].tolist() == [0.1, 0.01]
    lost = seed_curves(runs)[lambda points: (points["value"] == 0.01) & (points["seed"] == 1)]
    assert lost["test_accuracy"].tolist() == [-5.0]


def test_the_leaderboard_shows_the_metric_and_counts_losses_in_percent_of_it(tmp_path: Path) -> None:
    runs = load(write(tmp_path, ROWS))
    board = leaderboard(runs, "toy").loc["gmp"]
    assert board["CR 10"] == "**2.030 ± 0.014 (2)**" and board["CR 100"] == "**4.000 ± 1.414 (2)**"
    # Two percent of dense's 2.0 are lost where a front falls below 2.04: at a share of 0.02 / 0.98 of the way
    # from CR 10 to 100 for one seed, and at CR 10 itself for the other.
    assert float(str(board["CR at -2"]).split(" ")[0]) == pytest.approx((10 ** (1 + 0.02 / 0.98) * 10) ** 0.5, abs=0.06)
    assert heading(runs, "toy") == "dense: 2.000 ± 0.000 (2) bits per character"
    assert "counts as 5.000 bits per character" in footnote(runs)
    assert "Lower bits per character is better" in footnote(runs)


def test_the_figure_labels_heights_with_the_metric(tmp_path: Path) -> None:
    figure = front(load(write(tmp_path, ROWS)))
    (axes,) = figure.axes
    assert axes.get_ylabel() == "test bits per character (lower is better)"
    assert axes.yaxis.get_major_formatter()(-2.5, 0) == "2.5"
    assert "dense 2.000" in axes.get_legend_handles_labels()[1]


def test_gains_are_percent_of_the_metric_and_no_figure_says_accuracy_or_points(tmp_path: Path) -> None:
    other = bits(pair("snip", 0.1, 100, (2.1, 2.1), (2.22, 2.24)))
    runs = load(write(tmp_path, [*ROWS, *other]))
    readings = points_above_dense(runs, [10])
    assert sorted(readings["points"]) == pytest.approx([-12, -11, -2, -1])  # dense has 2.0
    table = accuracy_table(read_at(seed_curves(runs[runs["method"] != "dense"]), [10]), runs).set_index("method")
    assert table["mean"].to_dict() == pytest.approx({"gmp": 2.03, "snip": 2.23})
    assert float(table["low"]["gmp"]) < 2.03 < float(table["high"]["gmp"])
    assert table["above_dense"]["gmp"] == pytest.approx(-1.5)
    lost = losses(read_at(seed_curves(runs[runs["method"] != "dense"]), [10]), runs)
    assert sorted(lost["loss"])[:2] == [0, 0] and max(lost["loss"]) == pytest.approx(100 * 0.2 / 2.02)
    figures = [below_dense(runs), forest(runs), attainment(runs), profiles(runs, lost), front(runs)]
    for figure in figures:
        texts = [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)]
        assert not [text for text in texts if re.search(r"accura|point", text)]
        assert any("lower is better" in text for text in texts) or figure is figures[3]
    assert not re.search(r"accura|point", footnote(runs))


PENALIZED = {"knob": "strength", "depth": 2, "penalty": 0.1, "exponent": 1.0, "penalty_sum": 1.0, "objective": 2.0}


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("objective", "objective-toy"),
        ("init", "init-toy"),
        ("dynamics", "dynamics-toy"),
        ("learning-rate", "learning-rate-toy"),
        ("search", "search-toy"),
        ("budget", "budget-toy"),
    ],
)
def test_the_figures_of_experiments_name_the_metric(tmp_path: Path, name: str, figure: str) -> None:
    lines = [run("dense", 1, seed, 1000, 2.0, 2.0) for seed in (0, 1)]
    for method in ("dwf[depth=2]", "dwf[depth=2,init=ones]"):
        lines += [run(method, 7, seed, 50, 2.1, 2.125, **PENALIZED) for seed in (0, 1)]
    rows = [replace(row, experiment=name) for row in bits(lines)]
    curves = [(row.key, epoch, metric, 2.5 - epoch) for row in rows for metric in CURVES for epoch in (0, 1)]
    append(write(tmp_path, rows) / "curves.csv", CURVE_COLUMNS, curves)
    counts = [(row.key, 1e-7, 50, 0.05, "", "", 0, 2.1, 2.125) for row in rows if row.penalty]
    append(tmp_path / "thresholds.csv", THRESHOLD_COLUMNS, counts)
    append(tmp_path / "initial_weights.csv", INITIAL_COLUMNS, [("root", 1, 0, 1, 3.0)])
    report(tmp_path)
    text = (tmp_path / "figures" / f"{figure}.svg").read_text()
    assert "bits per character" in text and not re.search(r"accura|[^x]point", re.sub("<style.*?</style>", "", text))
    shown = [
        float(tick) for tick in re.findall(r">(\N{MINUS SIGN}?[\d.]+)</text>", text.replace("\N{MINUS SIGN}", "-"))
    ]
    assert shown and min(shown) >= 0  # heights are values of the metric, not scores


def test_the_course_of_another_metric_is_one_of_scores_in_tables(tmp_path: Path) -> None:
    rows = bits([run("dwf[depth=2]", 7, 0, 50, 2.1, 2.1, **PENALIZED)])
    curves = [(rows[0].key, epoch, metric, 2.5 - epoch) for metric in CURVES for epoch in (0, 1)]
    append(write(tmp_path, rows) / "curves.csv", CURVE_COLUMNS, curves)
    table = traces(tmp_path, load(tmp_path), ["val_accuracy", "density"])
    assert table[["val_accuracy", "density"]].to_numpy().tolist() == [[-2.5, 2.5], [-1.5, 1.5]]


def test_written_tables_and_the_page_have_values_of_the_metric(tmp_path: Path) -> None:
    rows = bits([replace(row, experiment="search") for row in pair("gmp", 0.1, 100, (2.1, 2.3), (2.0, 2.0))])
    rows[1] = replace(rows[1], learning_rate=0.2, seed=0)
    for name, column in (("search", "val_accuracy"), ("learning-rate", "best_val_accuracy")):
        folder = tmp_path / name
        folder.mkdir()
        report(write(folder, [replace(row, experiment=name) for row in rows]))
        table = pandas.read_csv(folder / ("trials.csv" if name == "search" else "learning_rates.csv"))
        assert sorted(table[column]) == [2.1, 2.3], name
    trials = folder_data(tmp_path / "learning-rate", frozenset(), 1)["trials"]
    assert trials["columns"]["best_val_bits per character"] == [2.1, 2.3]


def test_thresholds_of_another_metric_are_chosen_by_it(tmp_path: Path) -> None:
    penalty = bits([run("dwf[depth=3]", 1, 0, 500, 2.0, 2.0, knob="strength", penalty=0.1)])
    write(tmp_path, penalty)
    (tmp_path / "thresholds.csv").write_text(
        "key,threshold,nonzeros,density,val_accuracy,test_accuracy,val_difference_se,val_metric,test_metric\n"
        + f"{penalty[0].key},1e-7,500,0.5,,,0,2.0,2.1\n"
        + f"{penalty[0].key},1e-3,100,0.1,,,0.02,2.01,2.2\n"
        + f"{penalty[0].key},1e-2,10,0.01,,,0.02,3.0,3.0\n"
    )
    (line,) = load(tmp_path, "validated").to_dict("records")
    assert (line["threshold"], line["compression"], line["test_accuracy"]) == (1e-3, 10, -2.2)
