"""The checklist on results that fulfil it, and on results that lack one thing each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy
import pytest

from benchmark.records.bits import encode
from benchmark.records.schema import CORRECT_COLUMNS, Row
from benchmark.records.table import append
from plots.checklist import checklist
from plots.report import report
from tests.builders import ROOT, run, sparsefront, write

CONTROL = "control[mask=magnitude,kind=shuffle]"
FAMILIES = {"gmp": "during training", "random": "before training", "rigl": "dynamic", CONTROL: "control"}
TASKS = {"resnet20-cifar10": "CIFAR10", "wrn22-2-cifar10": "CIFAR10", "resnet20-cifar100": "CIFAR100"}
RECORDS = {"version": "1", "torch": "2.1", "hardware": "a CPU", "optimizer": "sgd", "data_hash": "d", "commit": "c"}


def complete() -> list[Row]:
    """Return rows of three tasks that fulfil every requirement; accuracy falls by 10 points from CR 2 to CR 32."""
    rows = []
    for task, dataset in TASKS.items():
        for method in ("dense", *FAMILIES):
            for value in (1,) if method == "dense" else (0.5, 0.25, 0.125, 0.06, 0.03):
                for seed in (0, 1, 2):
                    accuracy = 92 - 5 * (value < 0.1) - 5 * (value < 0.05)
                    counts = {"parameters": 1100, "total_compression": 2, "macs_dense": 9, "theoretical_speedup": 2}
                    named = {"key": f"{task} {method} {value} {seed}", "task": task, "dataset": dataset}
                    rows.append(
                        run(
                            method, value, seed, round(1000 * value), accuracy, accuracy, test_top5=99, **counts,
                            **named, **RECORDS, family=FAMILIES.get(method, "dense"),
                            knob="none" if method == "dense" else "density",
                        )
                    )  # fmt: skip
    return rows


def judged(folder: Path, rows: list[Row], answers: bool = True) -> dict[int, tuple[bool | None, str]]:
    write(folder, rows)
    if answers:
        right = {row.key: numpy.arange(100) < (row.test_accuracy or 0) for row in complete()}
        append(folder / "correct.csv", CORRECT_COLUMNS, [(key, 100, encode(bits)) for key, bits in right.items()])
    return {item.number: (item.passed, item.reason) for item in checklist([folder])}


def test_results_that_lack_nothing_pass_and_a_leaderboard_of_other_runs_fails(tmp_path: Path) -> None:
    found = judged(tmp_path, complete())
    assert {number: passed for number, (passed, _) in found.items() if not passed} == {17: None, 18: None, 19: None}
    report(tmp_path)
    assert checklist([tmp_path])[16].passed
    board = tmp_path / "leaderboard.md"
    board.write_text(board.read_text().replace("92.00", "93.00"))
    assert checklist([tmp_path])[16].passed is False


def changed(keep: Callable[[Row], bool] = lambda row: True, **cells: object) -> list[Row]:
    """Return the complete rows without some, or with other cells in the first row that is not dense."""
    rows = [row for row in complete() if keep(row)]
    place = next(i for i, row in enumerate(rows) if row.method == "gmp")
    return [*rows[:place], replace(rows[place], **cells), *rows[place + 1 :]]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "rows", "reason"),
    [
        (1, changed(dataset=""), "dataset is empty in 1 of 189 runs"),
        (2, changed(lambda row: row.task != "resnet20-cifar100"), "2 of 3: resnet20-cifar10, wrn22-2-cifar10"),
        (3, changed(theoretical_speedup=None), "theoretical_speedup is empty in 1 of 189 runs"),
        (4, changed(total_compression=None), "total_compression is empty in 1 of 189 runs"),
        (5, [replace(row, test_top5=None) for row in complete()], "test_top5 is empty in 63 of 63 runs"),
        (6, changed(lambda row: row.method != "dense" or row.seed != 2), "dense lacks resnet20-cifar10 seed 2, "),
        (7, changed(lambda row: row.method != "rigl" or row.value > 0.1), "fewer than 5: rigl on resnet20-cifar10"),
        (7, changed(lambda row: row.method != "rigl" or row.value > 0.1), "not seen to fall 2 points below dense"),
        (8, changed(test_accuracy=None), "test_accuracy is empty in 1 of 189 runs"),
        (9, changed(lambda row: row.method != "rigl" or row.seed < 2), "rigl 0.03 has 2, "),
        (10, changed(optimizer="adam"), "optimizer on resnet20-cifar10 is adam or sgd"),
        (11, changed(lambda row: row.method != CONTROL), "missing: shuffled on resnet20-cifar10"),
        (12, changed(lambda row: row.method != "gmp" or row.task != "resnet20-cifar100"), "on resnet20-cifar100"),
        (13, changed(commit=""), "1 rows name no commit"),
        (14, changed(steps=300), "gmp took 1 to 3 times the steps"),
        (15, changed(hardware=""), "hardware is empty in 1 of 189 runs"),
        (16, changed(commit="c-dirty"), "1 runs have no commit or uncommitted changes"),
        (16, changed(test_accuracy=95), "does not follow from the counts in resnet20-cifar10 gmp 0.5 0"),
        (16, changed(density=0.4), "does not follow from the counts in resnet20-cifar10 gmp 0.5 0"),
    ],
)  # fmt: skip
def test_a_requirement_that_is_not_met_fails_with_the_reason(
    number: int, rows: list[Row], reason: str, tmp_path: Path
) -> None:
    passed, said = judged(tmp_path, rows)[number]
    assert passed is False and reason in said


def test_accuracies_without_answers_are_not_checked(tmp_path: Path) -> None:
    assert judged(tmp_path, complete(), answers=False)[16] == (False, "189 runs keep no answers")


def test_folders_are_judged_together(tmp_path: Path) -> None:
    folders = []
    for task in TASKS:
        folders.append(tmp_path / task)
        folders[-1].mkdir()
        write(folders[-1], [row for row in complete() if row.task == task])
    assert not checklist(folders[:1])[1].passed and checklist(folders)[1].passed


def test_the_command_fails_with_the_checklist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, complete())
    assert sparsefront(monkeypatch, "check-claims", str(tmp_path)) == 1
    printed = capsys.readouterr().out
    assert "pass   1. Name network" in printed and "189 runs keep no answers" in printed
    assert printed.splitlines()[-1] == "1 of 19 fail"
    assert sparsefront(monkeypatch, "check-claims", str(tmp_path / "none")) == 2


def test_without_a_folder_the_command_computes_the_numbers_of_the_pages_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").symlink_to(ROOT / "results")
    block = "<!-- begin: mean families-grid gmp 0.02 -->{}<!-- end -->"
    (tmp_path / "README.md").write_text(block.format("99.9"))
    assert sparsefront(monkeypatch, "check-claims") == 1
    assert "out of date: mean families-grid gmp 0.02" in capsys.readouterr().out
    assert sparsefront(monkeypatch, "docs") == 0 and sparsefront(monkeypatch, "check-claims") == 0
