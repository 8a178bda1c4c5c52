"""The tables and numbers of the documentation, from made-up results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import UsageError
from benchmark.records.schema import CURVE_COLUMNS, LAYER_COLUMNS, THRESHOLD_COLUMNS, Row, Status
from benchmark.records.table import append
from plots.doc_blocks import BLOCKS, counts, numbers, published, tables
from plots.docs import filled
from tests.builders import DWF, GOLDEN, at_rate, pair, run, write


def clear() -> None:
    """Forget the results that were read."""
    for cached in (published.points, published.runs, counts._searched, numbers.comparison):
        cached.cache_clear()


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(published, "REFERENCE", tmp_path / "reference")
    monkeypatch.setattr(tables, "RANGES", {"golden": {"up to 25": (0, 25), "30 to 80": (30, 80)}})
    clear()
    (tmp_path / "reference" / "golden").mkdir(parents=True)
    penalty = [
        *pair("dwf[depth=2]", 1, 100, (80, 82), (81.05, 81.05)),  # at CR 10
        *pair("dwf[depth=2]", 2, 20, (70, 72), (71, 73)),  # at CR 50
        run("dwf[depth=2]", 3, 0, 10, 60, 60),  # at CR 100
        run("dwf[depth=2]", 3, 1, 30, 60, 64),  # at CR 33: the two are too far apart for a mean
    ]
    write(tmp_path / "reference" / "golden", [*GOLDEN, *penalty])
    yield tmp_path
    clear()


def test_numbers_of_a_point_are_computed_by_hand(results: Path) -> None:
    assert BLOCKS["mean"]("golden", "dense", "1") == "92.0 %"
    assert BLOCKS["mean"]("golden", "snip", "0.1", "2") == "89.00 %"
    assert BLOCKS["spread"]("golden", "dense", "1", "2") == "92.00 ± 1.41"
    assert BLOCKS["spread"]("golden", "snip", "0.01") == "31.0 ± 29.7"  # the diverged one is at chance
    assert BLOCKS["point"]("golden", "dwf[depth=3]", "1") == "91.0 % at 5"
    assert BLOCKS["mean"]("golden", "dwf[depth=2]", "1") == "81.1 %"  # half is rounded up


def test_a_block_may_name_one_task_of_an_experiment(results: Path) -> None:
    rows = [run("gmp", 0.1, 0, 100, 80, 80), run("gmp", 0.1, 0, 50, 60, 60, key="other", task="vgg16-cifar10")]
    (results / "reference" / "two").mkdir()
    write(results / "reference" / "two", rows)
    assert BLOCKS["point"]("two/vgg16-cifar10", "gmp", "0.1") == "60.0 % at 20"
    assert BLOCKS["at"]("two/vgg16-cifar10", "gmp", "20") == "60.0"
    with pytest.raises(UsageError, match=r"name one task; the runs are of .*, vgg16-cifar10"):
        BLOCKS["mean"]("two/vgg19-cifar10", "gmp", "0.1")


def test_a_curve_is_read_at_an_epoch(results: Path) -> None:
    rows = pair("gmp", 0.1, 100, (80, 82), (80, 82))
    folder = results / "reference" / "curves"
    folder.mkdir()
    write(folder, rows)
    lines = [(row.key, epoch, "val_accuracy", 70 + 10 * epoch + row.seed) for row in rows for epoch in (1, 2)]
    append(folder / "curves.csv", CURVE_COLUMNS, lines)
    assert BLOCKS["curve"]("curves", "gmp", "0.1", "1") == "80.5 %"
    with pytest.raises(UsageError, match="curves has no curve of gmp at"):
        BLOCKS["curve"]("curves", "gmp", "0.1", "3")


def test_a_mean_says_which_seeds_count_at_chance(results: Path) -> None:
    assert BLOCKS["mean"]("golden", "snip", "0.01") == "31.0 % (1 of 2 seeds at chance)"
    assert BLOCKS["point"]("golden", "snip", "0.01") == "31.0 % (1 of 2 seeds at chance) at 100"


def test_another_metric_has_its_own_unit(results: Path) -> None:
    folder = results / "reference" / "errors"
    folder.mkdir()
    (folder / "learning_rates.csv").touch()
    error: dict[str, Any] = {"metric": "mean squared error", "better": "lower", "chance": 1.0}
    rows = [
        replace(run("snip", 0.1, seed, 100, None, None, **error), status=Status.OK, val_metric=0.5, test_metric=test)
        for seed, test in enumerate((0.25, 0.35))
    ]
    write(folder, rows)
    assert BLOCKS["mean"]("errors", "snip", "0.1") == "0.300 mean squared error"
    assert BLOCKS["point"]("errors", "snip", "0.1") == "0.300 mean squared error at 10"
    assert BLOCKS["seeds"]("errors", "snip", "0.1") == "0.250 mean squared error at 10, 0.350 mean squared error at 10"
    assert BLOCKS["trial"]("errors", "snip", "0.1", "0.1") == "0.500 mean squared error at 10"


def test_differences_at_a_compression_are_read_between_the_two_nearest_values(results: Path) -> None:
    assert BLOCKS["compression"]("golden", "dwf[depth=2]", "2") == "50"
    assert BLOCKS["difference"]("golden", "dense", "1", "snip", "0.1") == "3.0"
    assert BLOCKS["at"]("golden", "snip", "10") == "89.0"
    assert BLOCKS["at"]("golden", "snip", "14.1421356") == "92.0"  # half-way from 10 to 20 in the logarithm
    assert BLOCKS["lead"]("golden", "snip", "dwf[depth=2]", "10", "2") == "7.95"
    assert BLOCKS["lead"]("golden", "dwf[depth=2]", "snip", "10", "2") == "-7.95"


def test_runs_are_counted_one_by_one(results: Path) -> None:
    assert BLOCKS["seeds"]("golden", "dwf[depth=3]", "1") == "92.0 % at 3, 90.0 % at 10"
    assert BLOCKS["below"]("golden", "dwf*", "0", "65") == "4 of 10"
    assert BLOCKS["below"]("golden", "dwf*", "5", "65") == "2 of 2"
    assert BLOCKS["diverged"]("golden", "snip", "0.01") == "1 of 2"
    assert BLOCKS["diverged"]("golden", "snip") == "1 of 10"
    assert BLOCKS["zeros"]("golden", "dwf[depth=3]", "1") == "70 to 90"


def test_trials_of_learning_rates_are_read_from_a_search(results: Path) -> None:
    folder = results / "reference" / "search"
    folder.mkdir()
    (folder / "learning_rates.csv").touch()
    rates = {0.1: 80, 0.2: 85, 0.4: None}
    rows = [run("snip", 0.1, 0, 100, val, val, key=str(rate), learning_rate=rate) for rate, val in rates.items()]
    write(folder, [*rows, run("dense", 1, 0, 1000, 90, 90, learning_rate=0.1)])
    assert BLOCKS["trial"]("search", "dense", "1", "0.1") == "90.0 %"
    assert BLOCKS["trial"]("search", "snip", "0.1", "0.2") == "85.0 % at 10"
    assert BLOCKS["diverged"]("search", "snip", "", "0.4") == "1 of 1"
    assert BLOCKS["steady"]("search", "snip") == BLOCKS["chosen"]("search", "snip") == "0.2"


def test_the_share_of_a_layer_and_saved_multiply_adds_are_means_over_seeds(results: Path) -> None:
    folder = results / "reference" / "layered"
    folder.mkdir()
    rows = [run("snip", 0.1, seed, 100, 80, 80, theoretical_speedup=ratio) for seed, ratio in enumerate((7.0, 9.0))]
    write(folder, rows)
    left = zip(rows, (20, 30), strict=True)
    append(folder / "layers.csv", LAYER_COLUMNS, [(row.key, "fc1", kept, 500) for row, kept in left])
    assert BLOCKS["kept"]("layered", "snip", "0.1", "fc1") == "5.0"
    assert BLOCKS["speedup"]("layered", "snip", "0.1") == "8"


def test_the_table_of_masks_has_a_column_for_each_compression(results: Path) -> None:
    assert BLOCKS["masks"]("golden", "5", "10", "100", "1000") == (
        "| test accuracy in % at a compression of | 5 | 10 | 100 | 1000 |\n"
        "|---|---|---|---|---|\n"
        "| SNIP | 99.0 ± 0.0 | 89.0 ± 1.4 | 31.0 ± 29.7 | \N{EN DASH} |"
    )


def test_the_table_of_penalties_has_medians_where_seeds_are_far_apart(results: Path) -> None:
    assert BLOCKS["penalties"]("golden") == (
        "| test accuracy in % (at a compression of) | up to 25 | 30 to 80 |\n"
        "|---|---|---|\n"
        "| depth 2 | 81.1 (10) | 72.0 (50), 62.0 (50, median) |\n"
        "| depth 3 | 91.0 (5, median) | \N{EN DASH} |"
    )


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ("mean nothing dense 1", "no published results of 'nothing'; experiments are golden"),
        ("mean golden dense 2", "golden has no dense with value 2; there are 1"),
        ("mean golden rigl 0.1", "golden has no run of rigl"),
        ("mean golden", "wrong arguments"),
        ("unknown golden", "there is no block 'unknown'; blocks are after, "),
        ("mean golden dense many", "wrong arguments: could not convert"),
        ("at golden snip 1000", "golden does not reach a compression of 1000 with snip"),
        ("below golden rigl* 0 50", r"golden has no run of rigl\* at 0 or more"),
    ],
)
def test_a_block_that_cannot_be_filled_is_refused_with_the_choices(results: Path, block: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        filled(f"<!-- begin: {block} -->old<!-- end -->", BLOCKS)


def test_a_difference_has_its_simultaneous_interval(results: Path) -> None:
    text = BLOCKS["against"]("golden", "dwf[depth=3]", "snip", "5")
    difference, low, high = text.replace("[", "").replace("]", "").replace(",", "").split()
    assert difference == "+2.0"
    assert float(low) < 0 < float(high)  # two seeds each, two points apart within a method
    with pytest.raises(UsageError, match=r"golden at 10 has no interval of dwf\[depth=2\] against snip"):
        BLOCKS["against"]("golden", "dwf[depth=2]", "snip", "10")  # eight points below
    assert BLOCKS["against"]("golden", "snip", "dense", "10").startswith("-3.0 [")  # 89 of 92
    assert BLOCKS["top"]("golden", "10") == "`snip`"
    assert set(BLOCKS["top"]("golden", "5").split(", ")) == {"`snip`", "`dwf[depth=3]`"}


def test_a_table_of_differences_has_a_row_for_each_method_near_or_far(results: Path) -> None:
    head, _, first, *rest = BLOCKS["differences"]("golden", "snip", "strict", "5", "10").splitlines()
    assert head == "| points above `snip` at a compression of | 5 | 10 |"
    assert first.startswith("| `dwf[depth=3]` | **+2.0 [") and first.endswith(" | \N{EN DASH} |")
    assert rest == ["| `snip` | **89.0 %** | **89.0 %** |", "| `dwf[depth=2]` | -8.0 | -8.0 |"]


def test_the_table_of_budgets_has_both_zeros_of_penalties(results: Path) -> None:
    lines = [
        "toy,strict,20,gmp,1,1,88.75,,,10",
        "toy,strict,20,gmp,1,1,89.25,,,30",
        "toy,strict,20,dwf,1,1,87.0,,,30",
        "toy,validated,20,dwf,1,1,88.0,,,10",
        "toy,validated,20,dwf,1,1,88.5,,,30",
        "toy,strict,100,gmp,1,1,85.0,,,10",
    ]
    header = "task,zero,at,method,n,asked,test_accuracy,low,high,epochs"
    (results / "reference" / "golden" / "budgets.csv").write_text("\n".join([header, *lines]) + "\n")
    assert BLOCKS["budgets"]("golden", "20").splitlines() == [
        "| method | 10 epochs | 30 epochs |",
        "|---|---|---|",
        "| `gmp` | 88.8 | 89.3 |",
        "| `dwf` | 88.0 (\N{EN DASH}) | 88.5 (87.0) |",
    ]
    assert BLOCKS["after"]("golden", "10", "dwf", "20", "validated") == "88.0"
    with pytest.raises(UsageError, match="golden has no dwf at 20 after 10 epochs with the strict zero"):
        BLOCKS["after"]("golden", "10", "dwf", "20")


def test_the_table_of_scores_has_the_metric_at_the_chosen_learning_rate_with_both_zeros(results: Path) -> None:
    bits: dict[str, Any] = {
        "experiment": "gpt-shakespeare",
        "metric": "bits per character",
        "better": "lower",
        "chance": 5.0,
    }

    def trained(method: str, rate: float, nonzeros: int, metric: float, penalty: float | None = None) -> Row:
        row = at_rate(method, rate, 1, nonzeros, None, **bits, penalty=penalty)
        return replace(row, status=Status.OK, val_metric=metric, test_metric=metric + 0.1)

    rows = [
        trained("dense", 0.1, 1000, 2.0),
        trained("snip", 0.1, 100, 2.25),
        trained("snip", 0.2, 100, 2.5),  # the last row, but the worse learning rate
        trained(DWF, 0.1, 200, 2.4, penalty=0.1),
    ]
    folder = results / "reference" / "gpt-shakespeare"
    folder.mkdir()
    write(folder, rows)
    counts = [(1e-7, 200, 2.4), (1e-3, 50, 2.4)]
    lines = [(rows[-1].key, at, left, left / 1000, None, None, 0.01, val, val + 0.1) for at, left, val in counts]
    append(folder / "thresholds.csv", THRESHOLD_COLUMNS, lines)
    assert BLOCKS["scores"]("gpt-shakespeare", "5", "10", "20").splitlines() == [
        "| test bits per character (dense: 2.100) at a compression of | 5 | 10 | 20 |",
        "|---|---|---|---|",
        "| `dwf[depth=3]` | 2.500 (2.500) | 2.500 (\N{EN DASH}) | 2.500 (\N{EN DASH}) |",
        "| `snip` | 2.350 | 2.350 | \N{EN DASH} |",
    ]


def test_a_difference_after_some_epochs_is_that_of_their_runs(results: Path) -> None:
    rows = [
        replace(one, epochs=epochs, key=f"{one.key}-{epochs}")
        for epochs, (gmp, dwf) in {10: ((80, 81), (82, 83)), 300: ((80, 82), (78, 80))}.items()
        for one in (*pair("gmp", 0.1, 100, gmp, gmp), *pair("dwf[depth=2]", 1, 100, dwf, dwf))
    ]
    (results / "reference" / "long").mkdir()
    (write(results / "reference" / "long", rows) / "budgets.csv").write_text("")  # compares budgets
    assert BLOCKS["trial"]("long", "gmp", "0.1", "0.1") == "80.0 % at 10"  # after 300 epochs, of the first seed
    found = [BLOCKS["differs"]("long", epochs, "dwf[depth=2]", "gmp", "10") for epochs in ("10", "300")]
    # Two samples of two: t with two degrees of freedom, 4.303, times the pooled deviation, 0.5^0.5 and 2^0.5.
    assert found == ["+2.0 [-1.0, +5.0]", "-2.0 [-8.1, +4.1]"]
