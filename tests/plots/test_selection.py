"""A part of the runs, and the leaderboard as numbers."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas
import pytest

from benchmark.errors import UsageError
from plots.results import load
from plots.selection import select
from tests.builders import pair, sparsefront, write

ROWS = [
    *pair("dense", 1, 1000, (92, 92), (92, 92.2)),
    *pair("gmp", 0.1, 100, (91, 91), (90.9, 91.1)),
    *pair("dwf[depth=2]", 0.1, 100, (90, 90), (88.9, 89.1)),
    *pair("dwf[depth=3]", 0.1, 100, (90, 90), (87.9, 88.1)),
]


def test_a_method_is_named_whole_or_by_its_name_and_dense_stays(tmp_path: Path) -> None:
    runs = load(write(tmp_path, ROWS))
    assert set(select(runs, ["dwf"], None)["method"]) == {"dense", "dwf[depth=2]", "dwf[depth=3]"}
    assert set(select(runs, ["dwf[depth=2]"], ["toy"])["method"]) == {"dense", "dwf[depth=2]"}
    assert len(select(runs, None, None)) == len(ROWS)
    with pytest.raises(UsageError, match=r"no runs of the method snip; methods are dense, dwf\[depth=2\]"):
        select(runs, ["gmp", "snip"], None)


def test_two_selected_methods_have_files_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    write(folder, ROWS)
    chosen = ("--methods", "dwf[depth=2],gmp", "--tasks", "toy", "--results", str(tmp_path))
    assert sparsefront(monkeypatch, "report", "mine", *chosen) == 0
    assert {path.name for path in folder.rglob("*-selected*")} == {
        *(f"{name}-toy-selected.{kind}" for name in ("front", "attainment") for kind in ("png", "svg")),
        "leaderboard-selected.md",
    }
    assert "depth=3" not in (folder / "leaderboard-selected.md").read_text()
    assert not (folder / "leaderboard.md").exists()


@pytest.mark.parametrize("form", ["--csv", "--json"])
def test_the_leaderboard_is_printed_as_numbers_and_nothing_is_written(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    write(folder, ROWS)
    assert sparsefront(monkeypatch, "report", "mine", form, "--methods", "gmp", "--results", str(tmp_path)) == 0
    shown = capsys.readouterr().out
    lines = json.loads(shown) if form == "--json" else pandas.read_csv(io.StringIO(shown)).to_dict("records")
    (at_ten,) = [line for line in lines if (line["measure"], line["at"]) == ("accuracy", 10)]
    named = ("experiment", "task", "method", "n", "asked")
    assert [at_ten[name] for name in named] == ["mine", "toy", "gmp", 2, 2]
    assert at_ten["estimate"] == pytest.approx(91) and at_ten["low"] < 91 < at_ten["high"]
    (at_two,) = [line for line in lines if (line["measure"], line["at"]) == ("compression", 2)]
    assert at_two["estimate"] == pytest.approx(10)
    assert [path.name for path in folder.iterdir()] == ["runs.csv"]


@pytest.mark.parametrize(
    "asked", [("--csv", "--json"), ("--csv", "--html"), ("--html", "--methods", "gmp"), ("--methods", "snip")]
)
def test_options_that_exclude_each_other_are_one_sentence(
    asked: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    write(folder, ROWS)
    assert sparsefront(monkeypatch, "report", "mine", *asked, "--results", str(tmp_path)) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert [path.name for path in folder.iterdir()] == ["runs.csv"]
