"""The interactive page without a browser: its structure, its numbers and its safety."""

from __future__ import annotations

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from benchmark.errors import UsageError
from benchmark.records.schema import COLUMNS, CURVE_COLUMNS, LAYER_COLUMNS, THRESHOLD_COLUMNS
from benchmark.records.table import append, read
from plots.figures.below_dense import bands, best_methods, points_above_dense
from plots.page import columns, histories
from plots.page import folder as page_folder
from plots.page.boards import _cell
from plots.page.columns import packed
from plots.page.comparisons import SHOWN
from plots.page.write import write_page
from plots.results import load
from tests.builders import DWF, GOLDEN, ROOT, SEARCH, run, sparsefront, write

REFERENCE = ROOT / "results/reference"


class Elements(HTMLParser):
    """The elements of a page, and the text of its data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][1].get("id") == "data":
            self.data += data


def parsed(page: Path) -> tuple[Elements, Any]:
    elements = Elements(page.read_text(encoding="utf-8"))
    return elements, json.loads(gzip.decompress(base64.b64decode(elements.data)))


def unpacked(table: dict[str, Any]) -> pandas.DataFrame:
    found = {}
    for name, column in table["columns"].items():
        if isinstance(column, dict):
            codes = table["columns"].get(column.get("as"), column).get("codes", [0] * table["rows"])
            column = [column["levels"][code] for code in codes]
        found[name] = pandas.Series(column, dtype=object)
    return pandas.DataFrame(found)


def test_the_page_has_every_number_of_the_csv(tmp_path: Path) -> None:
    folder = REFERENCE / "resnet20-proof"
    write_page([folder], tmp_path / "page.html")
    _, data = parsed(tmp_path / "page.html")
    runs = unpacked(data["folders"][0]["runs"])
    cells = read(folder / "runs.csv")
    assert len(runs) == len(cells) > 0
    for row, (_, shown) in zip(cells, runs.iterrows(), strict=True):
        for name in set(COLUMNS) - {"compression", "base_task", "label"}:
            value = shown[name]
            if isinstance(value, int | float) and not isinstance(value, bool):
                assert float(row[name]) == value, name
            else:
                assert row[name] == (value or ""), name
        assert 1 / shown["density"] == pytest.approx(float(row["compression"]), rel=1e-8)


def test_the_page_loads_nothing_and_runs_only_its_own_scripts(tmp_path: Path) -> None:
    write_page([write(tmp_path)], tmp_path / "page.html")
    elements, _ = parsed(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 1_500_000
    assert not [attributes for _, attributes in elements.found if "src" in attributes]
    links = [attributes["href"] for _, attributes in elements.found if "href" in attributes]
    assert links and all(str(link).startswith("#") for link in links)
    assert [attributes.get("type") for tag, attributes in elements.found if tag == "script"] == [
        "application/gzip",
        None,
        None,
    ]
    policy = next(str(each["content"]) for _, each in elements.found if "http-equiv" in each)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "'unsafe-inline'" not in policy.partition("style-src")[0] and "http" not in policy
    style = re.search(r"<style>(.*?)</style>", (tmp_path / "page.html").read_text(), re.DOTALL)
    assert style and "url(" not in style[1] and "@import" not in style[1] and "prefers-color-scheme: dark" in style[1]


def test_names_with_markup_stay_text(tmp_path: Path) -> None:
    evil = "</script><img src=x onerror=alert(1)><!--<script>&%%data%%"
    folder = tmp_path / "<b>folder&"
    folder.mkdir()
    write(folder, [*GOLDEN, run(evil, 0.5, 0, 500, 80, 80, error=evil, task="toy")])
    write_page([folder], tmp_path / "page.html")
    elements, data = parsed(tmp_path / "page.html")
    assert evil in set(unpacked(data["folders"][0]["runs"])["method"])
    assert not {tag for tag, _ in elements.found} & {"img", "b"}
    assert sum(tag == "script" for tag, _ in elements.found) == 3


def test_failures_and_stale_rows_stay_in_the_data(tmp_path: Path) -> None:
    write_page([write(tmp_path)], tmp_path / "page.html", {tmp_path: {GOLDEN[0].key}})
    _, data = parsed(tmp_path / "page.html")
    runs = unpacked(data["folders"][0]["runs"])
    assert len(runs) == len(GOLDEN) and (runs["status"] == "diverged").sum() == 2
    assert runs.loc[runs["stale"], "key"].tolist() == [GOLDEN[0].key]
    board = data["folders"][0]["boards"]["toy"]["own"]
    assert board["heading"] == "dense: 92.00 ± 1.41 (2) (old)" and board["marks"] == {"dense": "(old)"}


def test_boards_are_those_of_the_leaderboard(tmp_path: Path) -> None:
    write_page([write(tmp_path)], tmp_path / "page.html")
    _, data = parsed(tmp_path / "page.html")
    board = data["folders"][0]["boards"]["toy"]["own"]
    assert board["heading"] == "dense: 92.00 ± 1.41 (2)" and {line[0] for line in board["lines"]} >= {"snip", DWF}
    assert _cell("**~89.50 ± 1.41 (2)**") == {"text": "~89.50 ± 1.41 (2)", "sort": 89.5, "top": True}
    assert _cell(">12.5") == {"text": ">12.5", "sort": 12.5, "top": False}
    assert _cell("\N{EN DASH}")["sort"] is None


def test_searches_show_the_chosen_runs_and_list_all_learning_rates(tmp_path: Path) -> None:
    write_page([write(tmp_path, SEARCH)], tmp_path / "page.html")
    _, data = parsed(tmp_path / "page.html")
    folder = data["folders"][0]
    runs, trials = unpacked(folder["runs"]), unpacked(folder["trials"])
    assert len(runs) == len(SEARCH)
    assert set(runs.loc[runs["shown"] & (runs["method"] == DWF), "learning_rate"]) == {0.1}  # equal area, smaller rate
    assert set(zip(trials["method"], trials["learning_rate"], strict=True)) == {
        (r.method, r.learning_rate) for r in SEARCH
    }


def test_numbers_of_columns_are_exact_and_repeats_are_short() -> None:
    table = pandas.DataFrame({"a": [0.1, numpy.nan, numpy.inf, 3.0], "b": ["x"] * 4, "c": ["x", "y", "x", "y"]})
    table["d"] = table["c"].map({"x": "left", "y": "right"})
    assert packed(table) == {
        "rows": 4,
        "columns": {
            "a": [0.1, None, None, 3],
            "b": {"levels": ["x"]},
            "c": {"levels": ["x", "y"], "codes": [0, 1, 0, 1]},
            "d": {"levels": ["left", "right"], "as": "c"},
        },
    }


def test_a_page_of_many_rows_rounds_measurements_and_keeps_validated_thresholds_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [run(DWF, 1, seed, 250, 90, 90, knob="strength", penalty=1e-9 / 3, train_loss=seed / 3) for seed in (1, 2)]
    counts = [
        (row.key, at, left, left / 1000, 90, 90, 0.1, "", "") for row in rows for at, left in ((0.1, 9), (0, 250))
    ]
    append(write(tmp_path, rows) / "thresholds.csv", THRESHOLD_COLUMNS, counts)
    monkeypatch.setattr(columns, "MANY", 1)
    for most, losses, places in ((10, [1 / 3, 2 / 3], 6), (1, [0.33333, 0.66667], 2)):
        monkeypatch.setattr(page_folder, "EXACT_ROWS", most)
        monkeypatch.setattr(page_folder, "THRESHOLD_ROWS", most)
        data = page_folder.folder_data(tmp_path, frozenset(), 1)
        assert unpacked(data["runs"])["train_loss"].tolist() == losses
        assert set(unpacked(data["runs"])["penalty"]) == {1e-9 / 3}
        thresholds = unpacked(data["thresholds"])
        assert len(thresholds) == places and thresholds["threshold"].tolist()[-2:] == ["validated"] * 2
        assert data["note"] == (page_folder.ROUNDED + page_folder.VALIDATED_ALONE if most == 1 else "")


def test_curves_and_layers_beyond_the_room_are_thinned_and_the_page_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(
        tmp_path / "curves.csv",
        CURVE_COLUMNS,
        [
            (key, epoch, metric, epoch / 3)
            for key in "abc"
            for metric in ("val_loss", "density of fc1")
            for epoch in range(21)
        ],
    )
    append(tmp_path / "layers.csv", LAYER_COLUMNS, [(key, "fc1", 1, 2) for key in "abc"])
    data, said = histories.curve_data(tmp_path, ["b", "a"], 1)
    curves = unpacked(data["curves"])
    assert curves["run"].tolist() == [0, 1] and curves["metric"].tolist() == ["val_loss"] * 2 and said == ""
    assert data["epochs"] == [*range(21), *range(21)] and data["values"][:3] == [0, 0.3333, 0.6667]
    monkeypatch.setattr(histories, "CURVE_POINTS", 16)
    data, said = histories.curve_data(tmp_path, ["b", "a", "c"], 1)
    assert unpacked(data["curves"])["start"].tolist() == [0, 8] and data["epochs"][:8] == [0, 3, 6, 9, 12, 15, 18, 20]
    assert said == "Curves show one epoch in 3 and the last. Curves are those of the first 2 of 3 runs. "
    monkeypatch.setattr(histories, "LAYER_ROWS", 2)
    layers, said = histories.layer_data(tmp_path, ["a", "b", "c"], 1)
    assert layers["rows"] == 2 and said == "Layers are those of the first 2 of 3 runs. "


def test_two_thousand_runs_stay_below_five_megabytes(tmp_path: Path) -> None:
    draws = numpy.random.default_rng(0)
    rows = []
    for seed in range(2000):
        nonzeros, accuracy, loss = int(draws.integers(1, 1000)), float(draws.uniform(80, 95)), draws.uniform(size=6)
        spread = dict(
            zip(
                ("train_loss", "val_loss", "test_loss", "train_seconds", "step_ms", "penalty"),
                loss.tolist(),
                strict=True,
            )
        )
        rows.append(run("dense" if seed % 2 else "snip", 0.5, seed, nonzeros, accuracy, accuracy - 1, **spread))
    write_page([write(tmp_path, rows)], tmp_path / "page.html")
    room = 12 * (histories.CURVE_POINTS + histories.LAYER_ROWS)  # bytes that curves and layers may take
    assert (tmp_path / "page.html").stat().st_size + room < 5_000_000


def test_a_folder_that_cannot_be_read_is_named_on_the_page_of_several(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    for folder in (good, bad):
        folder.mkdir()
    write(good)
    (bad / "runs.csv").write_text("a,b\n1,2\n")
    write_page([bad, good], tmp_path / "page.html")
    _, data = parsed(tmp_path / "page.html")
    assert [folder["name"] for folder in data["folders"]] == ["good"] and "columns" in data["faults"][0]
    (tmp_path / "page.html").unlink()
    with pytest.raises(UsageError, match="columns"):
        write_page([bad], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("name", ["", "quickstart"])
def test_the_command_writes_one_page(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "quickstart").mkdir()
    write(tmp_path / "quickstart")
    before = set(tmp_path.rglob("*"))
    where = [*filter(None, [name]), "--results", str(tmp_path)]
    assert sparsefront(monkeypatch, "report", *where, "--html", "--effective") == 2
    assert "without the other option" in capfd.readouterr().err and set(tmp_path.rglob("*")) == before
    assert sparsefront(monkeypatch, "report", *where, "--html") == 0
    assert set(tmp_path.rglob("*")) - before == {tmp_path / name / "report.html"}


def test_the_bands_are_those_of_the_figure_of_points_below_dense(tmp_path: Path) -> None:
    write_page([write(tmp_path)], tmp_path / "page.html")
    _, data = parsed(tmp_path / "page.html")
    shown = unpacked(data["folders"][0]["comparisons"]["own"]["bands"])
    readings = points_above_dense(load(tmp_path), SHOWN)
    expected = bands(readings, best_methods(readings, load(tmp_path)))
    assert shown[["at", "method"]].values.tolist() == expected[["at", "method"]].values.tolist()
    assert shown["low"].astype(float).tolist() == pytest.approx(expected["low"].tolist(), abs=6e-4, nan_ok=True)
    assert set(data["folders"][0]["comparisons"]) == {"own"}  # the runs have no other count
