"""The interactive page in a real browser, where Chromium is installed."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pandas
import pytest

from benchmark.records.schema import THRESHOLD_COLUMNS
from benchmark.records.table import append
from plots.figures.below_dense import bands, best_methods, points_above_dense
from plots.page.comparisons import SHOWN
from plots.page.write import write_page
from plots.readings import LEVELS, read_at, seed_curves
from plots.results import load
from plots.statistics.accuracy import accuracy_table
from tests.builders import DWF, pair, run, write

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian's package: chromium)")

EVIL = "<img src=x onerror=document.title='broken'>"
RUNS = [
    *pair("dense", 1, 1000, (90, 92), (91, 93)),
    *pair("snip", 0.5, 500, (90, 90), (89.25, 91), theoretical_speedup=1.5),
    *pair(EVIL, 0.2, 200, (85, 85), (88, 88), label=EVIL),
    *pair(DWF, 1, 250, (90, 90), (90, 92), knob="strength", penalty=0.1),
]


LONG = "a-name-of-many-words-" * 8
BITS: dict[str, Any] = {
    "metric": "bits per character",
    "better": "lower",
    "chance": 6.0,
    "val_accuracy": None,
    "test_accuracy": None,
}
# Results as they should not be, by the name of their folder.
ODD = {
    "one run": [run("snip", 0.5, 0, 500, 90, 90)],
    "no weights": [*pair("dense", 1, 1000, (90, 92), (91, 93)), *pair(DWF, 5, 0, (10, 10), (10, 10))],
    "<b>forty & more": [
        *pair("dense", 1, 1000, (90, 92), (91, 93)),
        *(run(f"{LONG}{place}{EVIL}", 0.1, 0, 100, 80, 80, label=f"{LONG}{place}") for place in range(40)),
    ],
    "many": [run("snip", 0.5 + place / 200, seed, 500, 90, 90) for place in range(22) for seed in range(100)],
    "text": [
        replace(row, **BITS, val_metric=row.val_accuracy, test_metric=row.test_accuracy)
        for row in [
            *pair("dense", 1, 1000, (2, 2), (2, 2.1)),
            *pair("gmp", 0.1, 100, (2.1, 2.1), (2.25, 2.27)),
            *pair("snip", 0.1, 100, (2.1, 2.1), (2.45, 2.47)),
            run("snip", 0.05, 0, 50, 2.9, 3.0),
            run("snip", 0.05, 1, 50, None, None),
        ]
    ],
    "far better": [
        replace(row, **BITS, val_metric=row.val_accuracy, test_metric=row.test_accuracy)
        for row in [*pair("dense", 1, 1000, (4, 4), (4, 4.1)), *pair("gmp", 0.1, 100, (3, 3), (2.6, 2.64))]
    ],
    "far worse": [
        *pair("gmp", 0.1, 100, (90, 90), (90, 91)),
        *pair("gmp", 0.05, 50, (40, 40), (40, 41)),
        *pair("snip", 0.1, 100, (50, 50), (50, 51)),
    ],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> pandas.DataFrame:
    return load(write(tmp_path_factory.mktemp("runs"), RUNS))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Return a function that opens the page with choices in its address and returns the elements there are then."""
    folder = write(tmp_path_factory.mktemp("page"), RUNS)
    cells = (0.001, 100, 0.1, 88, 87, 0.1)
    empty = [""] * (len(THRESHOLD_COLUMNS) - 1 - len(cells))
    counts = [(run.key, *cells, *empty) for run in RUNS if run.penalty]
    append(folder / "thresholds.csv", THRESHOLD_COLUMNS, counts)
    odd = [folder / name for name in ODD]
    for path, rows in zip(odd, ODD.values(), strict=True):
        path.mkdir()
        write(path, rows)
    page = folder / "report.html"
    write_page([folder, *odd], page)

    def dom(host: str = "", **choices: str) -> str:
        command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
        command += [f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000", "--dump-dom"]
        address = f"{page.as_uri()}#{urlencode(choices)}"
        if host:
            (folder / "host.html").write_text(host.replace("ADDRESS", html.escape(address)))
            command += ["--disable-web-security", "--allow-file-access-from-files"]
            address = (folder / "host.html").as_uri()
        done = subprocess.run([*command, address], capture_output=True, text=True, check=True)
        assert "CONSOLE" not in done.stderr, done.stderr
        assert 'data-ready="yes"' in done.stdout
        return re.sub(r"<script.*?</script>", "", done.stdout, flags=re.DOTALL)

    return dom


def cells(dom: str, label: str) -> list[list[str]]:
    """Return the cells of a table's body."""
    table = re.search(rf'<table aria-label="{label}">.*?<tbody>(.*?)</tbody>', dom, re.DOTALL)
    assert table
    lines = re.findall(r"<tr.*?</tr>", table[1], re.DOTALL)
    return [[re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<td.*?</td>", line, re.DOTALL)] for line in lines]


def test_the_table_has_the_numbers_of_the_csv_and_markup_stays_text(opened: Callable[..., str]) -> None:
    dom = opened(methods=f"snip;{EVIL}")
    lines = cells(dom, "Runs in this figure")
    assert len(lines) == 6 and ["snip", "0.5", "0", "0.5", "2"] in [line[:5] for line in lines]
    assert "89.25" in next(line for line in lines if line[0] == "snip")
    assert "<img" not in dom and "<title>broken" not in dom
    assert "at 2.000: test accuracy 90.13 %" in dom  # the text of a mark


def test_methods_seeds_axis_and_threshold_change_figure_and_table(opened: Callable[..., str]) -> None:
    lines = cells(opened(methods=DWF, seeds="1", threshold="0.001"), "Runs in this figure")
    assert [(line[0], line[2], line[4]) for line in lines] == [("dense", "1", "1"), (DWF, "1", "10")]
    dom = opened(methods="snip", x="theoretical_speedup")
    assert "at 1.500: test accuracy" in dom and "theoretical speed-up (multiply-adds" in dom


def test_the_table_of_differences_is_that_of_the_statistics_and_figures_name_their_numbers(
    opened: Callable[..., str], runs: pandas.DataFrame
) -> None:
    dom = opened(methods="snip", level="5")
    table = accuracy_table(read_at(seed_curves(runs[runs["method"] != "dense"]), LEVELS), runs).set_index(
        ["compression", "method"]
    )
    for line in cells(dom, "Differences"):
        expected = table.xs((5, html.unescape(line[0]))).to_dict()
        assert (line[1], line[2]) == (str(expected["n"]), str(expected["asked"]))
        for name, cell in zip(("mean", "low", "high"), line[3:6], strict=True):
            assert float(cell) == pytest.approx(expected[name], rel=1e-5), (line, name)
    readings = points_above_dense(runs, SHOWN)
    drawn = bands(readings, best_methods(readings, runs))
    snip = drawn[(drawn["method"] == "snip") & (drawn["at"] == 2)].iloc[0]
    found = re.search(r"snip at a compression of 2.00: (\S+) points \[(\S+), (\S+)\], n = 2", dom)
    assert found and [float(number) for number in found.groups()] == pytest.approx(
        [snip["mean"], snip["low"], snip["high"]], abs=0.006
    )


def test_the_checklist_has_a_reason_for_every_item(opened: Callable[..., str]) -> None:
    lines = cells(opened(), "Checklist")
    assert len(lines) == 19 and all(reason for *_, reason in lines)
    assert lines[8][1] == "fail" and "dense 1 has 2" in lines[8][3]


@pytest.mark.parametrize(
    ("folder", "texts"),
    [
        ("one run", ["1 of 1 rows", "No dense run was measured.", "There is no dense run of this task"]),
        (
            "no weights",
            [
                "2 runs are not drawn: they have no weight left",
                "No run of the chosen methods has a place in this figure.",
            ],
        ),
        ("<b>forty & more", ["42 of 42 rows", f"{LONG}39"]),
        ("many", ["Dots are thinned: 2000 of 2200 runs are drawn; means are over all.", "100 of 2200 rows"]),
    ],
)
def test_results_as_they_should_not_be_make_a_readable_page(
    opened: Callable[..., str], folder: str, texts: list[str]
) -> None:
    methods = ";".join({row.method for row in ODD[folder]})
    dom = opened(folder=folder, methods=methods)
    assert not [text for text in texts if text not in html.unescape(dom)]
    assert "<img" not in dom and "<b>" not in dom


def test_a_metric_of_which_less_is_better_is_named_with_its_direction_and_unit(opened: Callable[..., str]) -> None:
    dom = opened(folder="text", methods="gmp;snip", level="5")
    assert "toy: bits per character against compression" in dom
    assert "at 10.00: test bits per character 2.260 ± 0.014 (2 seeds)" in dom
    assert "at 20.00: test bits per character 4.500 ± 2.121 (2 seeds)" in dom  # one run diverged: chance is 6
    assert "% better than dense in bits per character (lower is better)" in dom
    differences = {line[0]: line for line in cells(dom, "Differences")}
    assert [differences[name][3] for name in ("gmp", "snip")] == ["2.26", "2.46"]
    assert ["2.1", "2.25"] in [line[-3:-1] for line in cells(dom, "Runs in this figure")]
    visible = re.sub(r"<style.*?</style>|<section id=.(?:checklist|run)..*?</section>", "", dom, flags=re.DOTALL)
    assert not re.search(r"accura|points", re.sub(r"<[^>]*>", " ", visible))


def figure(dom: str, identity: str) -> str:
    """Return the figure in an element."""
    found = re.search(rf'id="{identity}".*?</svg>', dom, re.DOTALL)
    assert found
    return found[0]


def texts(dom: str, identity: str) -> list[str]:
    """Return the texts of the figure in an element."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", figure(dom, identity))


def test_gains_of_another_metric_and_large_differences_lie_within_their_figures(opened: Callable[..., str]) -> None:
    dom = opened(folder="far better", methods="gmp", level="5")
    assert "35" in texts(dom, "bands")  # a tick of the axis: gmp has 35 % less than dense
    assert "30" in texts(dom, "forest")
    assert "\u221240.0" in texts(opened(folder="far worse", methods="gmp;snip", level="5"), "forest")


def test_a_line_to_a_mean_below_the_range_leaves_the_figure_on_its_way(opened: Callable[..., str]) -> None:
    front = figure(opened(folder="far worse", methods="gmp"), "chart")
    line = re.search(r'mark-line.*?<path[^>]* d="M[^,]*,[^L]*L[^,]*,([^"]*)"', front, re.DOTALL)
    assert line and float(line[1]) > 1000  # the mark of the mean lies at the edge, at 430 pixels or less


# A phone of 390 pixels. The script counts the width of the page, low controls, and texts of figures beyond the edge.
PHONE = """<body data-ready="yes"><iframe src="ADDRESS" style="width:390px;height:844px;border:0"></iframe>
<output></output><script>
setTimeout(() => {
  const page = document.querySelector('iframe').contentDocument;
  const count = (query, fault) => [...page.querySelectorAll(query)].filter(fault).length;
  const low = count('.row select, .row button', (one) => one.offsetHeight < 30);
  const cut = count('svg text', (one) => one.getBoundingClientRect().right > 390);
  document.querySelector('output').textContent = [page.documentElement.scrollWidth <= 390, low, cut,
    count('#forest svg', () => true)].join(' ');
}, 3000);
</script></body>"""


def test_on_a_phone_only_tables_scroll_sideways_and_no_title_is_cut(opened: Callable[..., str]) -> None:
    found = re.search(r"<output>(.*?)</output>", opened(PHONE, folder="text", methods="gmp;snip", level="5"))
    assert found and found[1] == "true 0 0 1"
