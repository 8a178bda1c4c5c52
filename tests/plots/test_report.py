"""The report of an experiment: the files that it writes, the same ones every time."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.records.schema import COLUMNS, CURVE_COLUMNS, INITIAL_COLUMNS, LAYER_COLUMNS, THRESHOLD_COLUMNS
from benchmark.records.table import append
from plots.figures import dynamics, misalignment
from plots.leaderboards import leaderboards, markdown
from plots.registry import FIGURES, figures_of
from plots.report import mixed_rates, report
from plots.results import load, rows
from plots.terminal import show
from tests.builders import ROOT, run, sparsefront, write

FILES = {
    "quickstart": ["front-toy"],
    "dynamics": ["dynamics-toy"],
    "families": ["below-dense-toy", "profiles"],
    "init": ["initial-weights", "init-toy"],
    "layers": ["layers-toy"],
    "learning-rate": ["learning-rate-toy"],
    "learning-rate-families": [],
    "gpt-shakespeare": ["front-toy"],
    "search": ["search-toy"],
    "objective": ["front-toy", "objective-toy"],
    "budget": ["budget-toy"],
    "misalignment": ["misalignment-toy"],
}


def complete(folder: Path, experiment: str) -> Path:
    """Write results that hold everything that any figure draws."""
    rates = (0.1, 0.2) if any(figure.choose for figure in figures_of([experiment])) else (0.1,)
    rows = []
    for depth, value, rate in itertools.product((2, 3), (2.0, 6.0), rates):
        named = {"experiment": experiment, "key": f"{depth} {value} {rate}", "options": f"depth={depth}"}
        numbers = {"knob": "strength", "depth": depth, "learning_rate": rate, "penalty": value, "threshold": 0.0}
        numbers |= {"exponent": 2 / depth, "penalty_sum": 0.1, "objective": value + rate}
        rows.append(run(f"dwf[depth={depth}]", value, 0, round(600 / value), 80, 80, **named, **numbers))
    metrics = dict.fromkeys([*dynamics.METRICS, *misalignment.METRICS])
    curves = [(row.key, epoch, metric, 0.5 + epoch / 4) for row in rows for metric in metrics for epoch in (0, 1, 2)]
    append(folder / "curves.csv", CURVE_COLUMNS, curves)
    layers = [(row.key, name, 50, 500) for row in rows for name in ("fc1", "fc2")]
    append(folder / "layers.csv", LAYER_COLUMNS, layers)
    bins = [(name, depth, x, 0.5, 1.8) for name in ("root", "ones") for depth in (1, 2) for x in (-1, 0, 1)]
    append(folder / "initial_weights.csv", INITIAL_COLUMNS, bins)
    thresholds = [(row.key, 0.001, row.nonzeros, row.density, 80, 80, 0.1, "", "") for row in rows]
    append(folder / "thresholds.csv", THRESHOLD_COLUMNS, thresholds)
    return write(folder, rows)


@pytest.mark.parametrize("experiment", FILES)
def test_every_figure_has_the_same_bytes_when_it_is_drawn_again(experiment: str, tmp_path: Path) -> None:
    paths = report(complete(tmp_path, experiment)).paths
    drawn = [path for path in paths if path.parent.name == "figures"]
    assert [path.name for path in drawn] == [f"{name}.{kind}" for name in FILES[experiment] for kind in ("png", "svg")]
    assert not any(b"<dc:date>" in path.read_bytes() for path in drawn)
    assert (tmp_path / "figures").exists() == bool(drawn)
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in report(tmp_path).paths] == before


def test_the_figures_of_every_experiment_are_drawn_above() -> None:
    for figure in FIGURES:
        if "inference" in figure.experiments:
            continue  # it needs timings, which tests/plots/figures/test_inference.py has
        assert not FILES.keys().isdisjoint(figure.experiments), figure


def test_a_report_writes_figures_and_leaderboard_and_returns_their_paths(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = report(write(tmp_path))
    paths = written.paths
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "figures/front-toy.png",
        "figures/front-toy.svg",
        *(f"statistics/{name}.csv" for name in ("accuracy", "tolerance", "hypervolume", "profiles", "attainment")),
        "leaderboard.md",
    ]
    assert paths[-1].read_text(encoding="utf-8") == markdown(leaderboards(load(tmp_path)), tmp_path.name)
    assert not capsys.readouterr().out  # the command line prints the tables
    show(written.boards)
    assert "dense: 92.00" in capsys.readouterr().out
    other = tmp_path / "other"
    other.write_text("not ours")
    for path in paths:
        path.unlink()
        path.symlink_to(other)
    assert report(tmp_path).paths == paths  # a second time writes over the first, and not where a link leads
    assert other.read_text() == "not ours"


def test_unreadable_results_leave_no_file(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError):
        report(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (write(tmp_path) / "figures").write_text("in the way")
    with pytest.raises(UsageError, match="cannot be read or written: File exists"):
        report(tmp_path)


def test_reporting_needs_neither_torch_nor_methods() -> None:
    script = "import sys, plots.report; print(sorted({'torch', 'methods', 'matplotlib.pyplot'} & set(sys.modules)))"
    environment = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def with_thresholds(folder: Path) -> Path:
    """Write a dense run, a mask run, and a penalty run that is measured at two thresholds."""
    penalty = run("dwf[depth=3]", 5, 0, 500, 91, 92, threshold=1.19e-7, knob="strength", penalty=0.1)
    rows = [run("dense", 1, 0, 1000, 90, 91), run("snip", 0.1, 0, 100, 80, 81), penalty]
    append(folder / "runs.csv", COLUMNS, [astuple(row) for row in rows])
    counts = [(penalty.key, 1.19e-7, 500, 0.5, 91, 92), (penalty.key, 1e-4, 20, 0.02, 85, 86)]
    append(folder / "thresholds.csv", THRESHOLD_COLUMNS[:6], counts)  # as an older version wrote it
    return folder


def test_the_threshold_is_in_the_file_names_and_on_the_figure(tmp_path: Path) -> None:
    paths = report(with_thresholds(tmp_path), threshold=1e-4).paths
    assert [path.name for path in paths] == [
        "front-toy-threshold-0.0001.png",
        "front-toy-threshold-0.0001.svg",
        "leaderboard-threshold-0.0001.md",
    ]
    assert "Counted as zero: |w| < 0.0001" in paths[2].read_text()
    assert "zero: |w| &lt; 0.0001" in paths[1].read_text()


def test_a_report_takes_names_of_any_characters(tmp_path: Path) -> None:
    named = {"task": "a/b$\\frac$", "base_task": "a/b$\\frac$", "label": "x|y$z"}
    rows = [run("x|y$z", 0.5, seed, 500, 80, 81, **named) for seed in (0, 1)]
    written = report(write(tmp_path, rows))
    assert len(written.paths) == 4 and all(path.is_file() for path in written.paths)
    assert "`x\\|y$z`" in written.paths[-1].read_text()


def test_figures_for_a_paper_are_pdf_and_svg_in_a_folder_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "quickstart").mkdir()
    folder = write(tmp_path / "quickstart")
    command = ["report", "quickstart", "--results", str(tmp_path), "--style", "paper"]
    assert sparsefront(monkeypatch, *command, "--effective") == 2 and not (folder / "figures").exists()
    assert sparsefront(monkeypatch, *command) == 0
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert written == {"runs.csv", "figures/paper/front-toy.pdf", "figures/paper/front-toy.svg"}


def test_runs_that_differ_in_their_learning_rate_alone_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = [
        run("gmp", value, seed, 100, 80, 80, key=f"{value} {seed} {rate}", learning_rate=rate)
        for rate in (0.1, 0.2) for value in (0.1, 0.05) for seed in (0, 1)
    ]  # fmt: skip
    again = [run("snip", 0.1, 0, 100, 80, 80, key=name, options=name) for name in ("old", "new")]
    (tmp_path / "toy").mkdir()
    folder = write(tmp_path / "toy", [*made, *again, run("dense", 1.0, 0, 1000, 90, 90, key="dense")])
    table = rows(folder)
    assert mixed_rates(table) == ["gmp"]
    assert mixed_rates(table[table["learning_rate"] == 0.1]) == []
    assert mixed_rates(table.assign(experiment="learning-rate-families")) == []
    assert sparsefront(monkeypatch, "report", "toy", "--results", str(tmp_path)) == 0
    assert "toy: gmp ran at several learning rates" in capsys.readouterr().out
    assert sparsefront(monkeypatch, "report", "toy", "--results", str(tmp_path), "--methods", "dense,snip") == 0
    assert "several learning rates" not in capsys.readouterr().out
