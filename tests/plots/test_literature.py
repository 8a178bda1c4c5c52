"""Published curves: their rows, and the levels and orders that results here have to keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.records.schema import Row
from benchmark.tasks.registry import get_task
from methods.core.registry import parse
from plots.checklist import checklist
from plots.figures.fronts import front
from plots.literature import cited, compared, literature, lost_levels, lost_orders, published
from plots.looks import KNOWN
from plots.report import shown_runs
from plots.results import load
from tests.builders import ROOT, pair, points, write

TASK = "vgg16-cifar10"  # at a compression of 100: SynFlow 90.1, SNIP 89.1, random 79.1; dense 93.5


def test_every_row_names_a_task_a_source_and_a_protocol() -> None:
    rows = literature()
    assert len(rows) > 150 and rows[["task", "method", "source", "protocol"]].notna().all(axis=None)
    assert rows["test_accuracy"].between(0, 100).all() and (rows["compression"] >= 1).all()
    assert not rows.duplicated(["task", "method", "compression", "source"]).any()
    for task in rows["task"].unique():
        get_task(task)
    for method in set(rows["method"]) & set(KNOWN) - {"narrow"}:
        assert str(parse(method)) == method  # as rows of this suite write it
    snip = rows[(rows["task"] == TASK) & (rows["method"] == "snip") & (rows["compression"] == 100)].iloc[0]
    assert (snip["test_accuracy"], snip["spread"], snip["n"]) == (89.1, 0.5, 3) and "Synaptic-Flow" in snip["source"]


def runs(synflow: float, snip: float, dense: float = 92.5) -> list[Row]:
    rows = pair("dense", 1, 1000, (dense, dense), (dense, dense), task=TASK)
    for method, accuracy in {"synflow": synflow, "snip": snip, "random": 75.0}.items():
        rows += pair(method, 0.01, 10, (accuracy, accuracy), (accuracy, accuracy), task=TASK)
    return rows


@pytest.mark.parametrize(
    ("synflow", "snip", "level", "order"),
    [
        (89.0, 88.0, None, None),
        (87.0, 88.0, "synflow at 100", None),  # 5.5 below dense, published 3.4; one point apart from SNIP is no order
        (89.0, 74.0, "snip at 100", "snip below random at 100"),
    ],
)
def test_levels_and_orders_that_are_lost_are_named(
    synflow: float, snip: float, level: str | None, order: str | None, tmp_path: Path
) -> None:
    rows = compared(load(write(tmp_path, runs(synflow, snip))))
    found = [lost_levels(rows[rows["method"] != "random"]), lost_orders(rows)]
    for lost, expected in zip(found, (level, order), strict=True):
        assert len(lost) == (expected is not None) and all(str(expected) in text for text in lost)


def test_the_checklist_fails_if_a_published_level_is_lost(tmp_path: Path) -> None:
    write(tmp_path, runs(87.0, 88.0))
    levels, orders = checklist([tmp_path])[17:]
    assert levels.passed is False and "synflow at 100 on vgg16-cifar10: -5.5, published -3.4" in levels.reason
    assert orders.passed and orders.reason == "among random, snip, synflow"


def test_results_of_other_tasks_have_no_published_curve(tmp_path: Path) -> None:
    assert [item.passed for item in checklist([write(tmp_path)])[17:]] == [None, None]


def test_published_results_of_this_suite_keep_published_levels_and_orders() -> None:
    rows = compared(shown_runs(ROOT / "results/reference/families-grid-mnist")[1])
    assert len(rows) == 6 and set(rows["method"]) == {"set"}
    assert lost_levels(rows) == lost_orders(rows) == []


def test_published_accuracies_are_faint_marks_in_a_front(tmp_path: Path) -> None:
    shown = load(write(tmp_path, runs(89.0, 88.0)))
    figure = front(shown)
    faint = [line for line in figure.axes[0].lines if line.get_alpha() == 0.35]
    assert sum(len(points(line)) for line in faint) == len(published(TASK, shown["label"].unique())) == 18
    assert figure.axes[0].get_ylim()[1] > published(TASK, shown["label"].unique())["test_accuracy"].max() > 92.6
    assert "published by ganguli-lab/Synaptic-Flow, under other protocols" in " ".join(figure.get_supxlabel().split())


def test_published_methods_that_a_figure_lacks_are_not_drawn_unless_this_suite_lacks_them_too() -> None:
    task = "lenet300-mnist"
    assert set(published(task, ["gmp"])["method"]) == {"DEEP-R", "dynamic sparse reparameterization", "sparse momentum"}
    assert set(published(task, ["set"])["method"]) == {*published(task, ["gmp"])["method"], "set"}
    assert published("mlp-mnist1d", ["gmp", "imp[rounds=4]"]).empty and cited([published("mlp-mnist1d", ["gmp"])]) == ""
