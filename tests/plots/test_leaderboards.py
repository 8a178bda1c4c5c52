"""The leaderboard of an experiment, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.records.schema import Row
from plots.leaderboards import heading, leaderboard, leaderboards, markdown
from plots.results import load
from plots.terminal import show
from tests.builders import GOLDEN, pair, run, write

NONE = "\N{EN DASH}"


def cells(folder: Path, rows: list[Row], column: str) -> dict[str, str]:
    board = leaderboard(load(write(folder, rows)), "toy")[column]
    return dict(zip(board.index.astype(str), board.astype(str), strict=True))


def test_the_leaderboard_equals_the_one_worked_out_by_hand(tmp_path: Path) -> None:
    board = leaderboard(load(write(tmp_path)), "toy")
    assert board.columns.tolist() == [
        *(f"CR {level}" for level in (5, 10, 20, 50, 100, 200, 500)),
        *(f"CR at -{loss}" for loss in ("0.5", 1, 2, 5, 10)),
    ]
    # The front of snip goes through CR 10, 20 and 100, where one of two seeds diverged. Dense has 92 on test.
    # CR 50: 95 - 85 x and 95 - 43 x at x = ln 2.5 / ln 5. CR at -2: one seed starts below 90 and counts as 1, the
    # other reaches 24.1. CR at -5: 23.3 and 27.0; the interval is e^(12.7 x 0.105 / 2^0.5) times the mean, 25.1.
    assert dict(zip(board.index, board.to_numpy().tolist(), strict=True)) == {
        "snip": [
            "**89.00 ± 1.41 (2)**",
            "**89.00 ± 1.41 (2)**",
            "**95.00 ± 0.00 (2)**",
            "**~58.56 ± 16.91 (2)**",
            "**31.00 ± 29.70 (2)**",
            *[NONE] * 4,
            "4.9 (1/2)",
            f"25.1 [9.8{NONE}64.1] (2)",
            f"28.8 [6.3{NONE}133] (2)",
        ],
        "dwf[depth=3]": [
            "**91.00 ± 1.41 (2)**",
            *[NONE] * 6,
            *[">2.2 (1/2)"] * 2,
            *[">5.0 (2)"] * 3,
        ],  # at CR 5; its other value is empty
        "random": [NONE] * 12,
    }
    assert board.index.tolist() == ["dwf[depth=3]", "snip", "random"]  # by the compression at -2, at least 5 and 4.9


def test_a_method_with_old_rows_on_a_task_is_marked_on_that_task(tmp_path: Path) -> None:
    others = [*pair("snip", 0.1, 100, (80, 80), (80, 80), task="other", key="other")]
    boards = leaderboards(load(write(tmp_path, [*GOLDEN, *others]), stale={GOLDEN[2].key}))
    assert boards.names["toy"] == {"dwf[depth=3]": "dwf[depth=3]", "snip": "snip (old)", "random": "random"}
    assert boards.names["other"] == {"snip": "snip"}
    assert boards.headings["toy"] == "dense: 92.00 ± 1.41 (2)"


def test_methods_are_sorted_by_compression_and_then_by_accuracy(tmp_path: Path) -> None:
    rows = [
        *pair("dense", 1, 1000, (90, 90), (90, 90)),
        *pair("a", 1, 100, (50, 50), (50, 50)),
        *pair("b", 1, 20, (50, 50), (40, 40)),
        *pair("c", 1, 100, (50, 50), (60, 60)),
        *pair("d", 1, 500, (89, 89), (89, 89)),
        *pair("e", 1, 250, (88, 88), (88, 88)),  # exactly two points below: at CR 4, d only at CR 2
    ]
    assert leaderboard(load(write(tmp_path, rows)), "toy").index.tolist() == ["e", "d", "b", "c", "a"]


def test_the_methods_that_cannot_be_told_from_the_best_are_bold(tmp_path: Path) -> None:
    rows = [
        *pair("best", 1, 100, (9, 9), (90.9, 91.1)),
        *pair("near", 1, 100, (9, 9), (90.8, 91.0)),
        *pair("far", 1, 100, (9, 9), (89.5, 89.7)),
        *pair("collapsed", 1, 100, (9, 9), (20, 80)),
    ]
    bold = {method for method, cell in cells(tmp_path, rows, "CR 10").items() if cell.startswith("**")}
    assert bold == {"best", "near"}


def test_no_result_is_bold_without_a_second_run(tmp_path: Path) -> None:
    rows = [run("once", 1, 0, 100, 9, 95), run("too", 1, 0, 100, 9, 94)]
    assert cells(tmp_path, rows, "CR 10") == {"once": "95.00 (1)", "too": "94.00 (1)"}


@pytest.mark.parametrize(("nonzeros", "there"), [(10, True), (11, True), (12, False)])
def test_a_compression_that_is_short_by_one_rounded_weight_counts(tmp_path: Path, nonzeros: int, there: bool) -> None:
    # A hundredth of 1095 weights is 10.95: 11 are kept, which is CR 99.5; with 12 it is 91.
    rows = [run("snip", 0.01, 0, nonzeros, 80, 80, density=nonzeros / 1095, prunable=1095)]
    assert (cells(tmp_path, rows, "CR 100")["snip"] != NONE) is there


def test_a_table_without_dense_runs_has_no_compression_at_a_loss(tmp_path: Path) -> None:
    frame = load(write(tmp_path, pair("snip", 0.1, 100, (80, 80), (80, 80))))
    board = leaderboard(frame, "toy")
    assert list(board.loc["snip"])[-5:] == [NONE] * 5
    assert board.loc["snip", "CR 10"] == "**80.00 ± 0.00 (2)**"
    assert heading(frame, "toy") == "dense: not measured"


def test_a_leaderboard_holds_the_runs_of_one_task(tmp_path: Path) -> None:
    other = run("snip", 0.1, 0, 100, 99, 99, task="other", key="other")
    board = leaderboard(load(write(tmp_path, [*GOLDEN, other])), "toy")
    assert board.loc["snip", "CR 10"] == "**89.00 ± 1.41 (2)**"


def test_markdown_holds_every_task_and_explains_its_cells(tmp_path: Path) -> None:
    other = run("dwf[depth=2]", 1, 0, 100, 99, 99, task="other", key="other", options="threshold=0.0001")
    text = markdown(leaderboards(load(write(tmp_path, [*GOLDEN, other]))), "made-up")
    assert text.startswith("# made-up\n\n## other\n\ndense: not measured\n\n| method")
    assert "\n## toy\n\ndense: 92.00 ± 1.41 (2)\n\n" in text
    assert "| `dwf[depth=2] (shallow)` | " in text
    assert "Runs without a result: 2 of 18" in text
    assert "Counted as zero: |w| < 0.0001." in text


def test_the_terminal_shows_whole_cells_and_no_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    show(leaderboards(load(write(tmp_path))))
    shown = capsys.readouterr().out
    assert shown.startswith("toy, dense: 92.00 ± 1.41 (2); 2 seeds where a cell gives no number (n)\n")
    assert "[depth=3]" in shown and "(2)\n" not in shown.partition("CR is")[0].partition("\n")[2]
    assert "±1.41" in shown
    assert "**" not in shown
    assert "…" not in shown


def test_compressions_below_five_have_columns_where_no_run_reaches_five(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [*pair("dense", 1, 1000, (95, 95), (95, 95)), *pair("snip", 0.5, 500, (92, 92), (92, 93))]
    show(leaderboards(load(write(tmp_path, rows))))
    shown = " ".join(capsys.readouterr().out.split())
    assert "CR CR CR CR CR method 1.5 2 at -2 at -5 at -10 snip ~92.50 92.50" in shown
